/* SCRAM-SHA-256: the exchange of RFC 7677, section 3, byte by byte, and messages
   that are none.
   SPDX-License-Identifier: ISC */
#include "mail/scram.h"

#include <string.h>

#include "tap.h"

/* Made by Perl's Digest::SHA of the RFC's password, "pencil", and salt. */
static const char entry[] = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
			    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
			    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
static const char client_nonce[] = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
static const char nonce[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

#define BOTH "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define PROOF ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

static struct scram_secret secret;

static void begin(struct scram *scram)
{
	scram_read_first(scram, client_nonce);
	scram_challenge(scram, &secret, nonce);
}

static void test_exchange(void)
{
	struct scram scram = { 0 };

	is_number(scram_secret_read(&secret, entry, strlen(entry)), 0,
		  "an entry");
	ok(scram_secret_matches(&secret, "pencil"), "its password");
	ok(!scram_secret_matches(&secret, "pencils"), "another one");
	is_number(scram_read_first(&scram, client_nonce), 0, "first message");
	is_text(scram.login.data, "user", "the login");
	scram_challenge(&scram, &secret, nonce);
	is_text(scram.answer.data, BOTH ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"the challenge");
	is_number(scram_read_final(&scram, &secret, "c=biws," BOTH PROOF),
		  SCRAM_PROVED, "the proof");
	is_text(scram.answer.data,
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		"the server's proof");
	scram_free(&scram);
}

static void test_first(void)
{
	static const struct {
		const char *message;
		const char *login; /* NULL: none */
	} rows[] = {
		{ "y,,n=a,r=b", "a" },
		{ "n,a=c,n=a,r=b", "a" },
		{ "n,,n=a=2Cb=3D,r=b,x=more", "a,b=" },
		{ "", NULL },
		{ "n", NULL },
		{ "n,", NULL },
		{ "n,,", NULL },
		{ "n,a=,n=a,r=b", NULL },
		{ "n,b=c,n=a,r=b", NULL },
		{ "p=tls-unique,,n=a,r=b", NULL },
		{ "n,,n=,r=b", NULL },
		{ "n,,n=a", NULL },
		{ "n,,n=a,r=", NULL },
		{ "n,,n=a,r=b c", NULL },
		{ "n,,m=x,n=a,r=b", NULL },
		{ "n,,n=a=2c,r=b", NULL },
		{ "n,,n=a=2,r=b", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scram scram = { 0 };
		int result = scram_read_first(&scram, rows[i].message);

		is_text(result == 0 ? scram.login.data : NULL, rows[i].login,
			rows[i].message);
		scram_free(&scram);
	}
}

static void test_final(void)
{
	static const struct {
		const char *message;
		enum scram_result wanted;
	} rows[] = {
		{ "c=biws," BOTH PROOF, SCRAM_PROVED },
		{ "c=biws," BOTH ",x=y" PROOF, SCRAM_NOT_PROVED },
		{ "c=biws," BOTH PROOF ",x=y", SCRAM_MALFORMED },
		{ "c=eSws," BOTH PROOF, SCRAM_MALFORMED },
		{ "c=biws," BOTH "x" PROOF, SCRAM_MALFORMED },
		{ "c=biws,r=rOprNGfwEbeRWgbNEkqO" PROOF, SCRAM_MALFORMED },
		{ "c=biws," BOTH, SCRAM_MALFORMED },
		{ "c=biws," BOTH ",p=", SCRAM_MALFORMED },
		{ "c=biws," BOTH ",p=AAAA", SCRAM_MALFORMED },
		{ PROOF, SCRAM_MALFORMED },
		{ "", SCRAM_MALFORMED },
		{ "c=biws," BOTH
		  ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		  SCRAM_NOT_PROVED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scram scram = { 0 };

		begin(&scram);
		is_number(scram_read_final(&scram, &secret, rows[i].message),
			  rows[i].wanted, rows[i].message);
		scram_free(&scram);
	}
}

int main(void)
{
	test_exchange();
	test_first();
	test_final();
	return done_testing();
}

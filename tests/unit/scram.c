/* SCRAM-SHA-256: the messages of the exchange in RFC 7677, section 3, byte by
   byte, what is kept for its login, and messages that are none. Whether proofs
   are proofs is a matter of auth-cdb, and of its test.
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

static void test_secret(void)
{
	struct str text = { 0 };

	is_number(scram_secret_read(&secret, entry, strlen(entry)), 0,
		  "an entry");
	is_number((long long)secret.iterations, 4096, "its iterations");
	is_number((long long)secret.salt_length, 16, "its salt");
	scram_secret_write(&text, &secret);
	is_text(text.data, entry, "written again");
	str_free(&text);
}

static void test_exchange(void)
{
	/* "dHzbZapW…" */
	static const unsigned char proof[SCRAM_KEY_LENGTH] = {
		0x74, 0x7c, 0xdb, 0x65, 0xaa, 0x56, 0x22, 0x4e,
		0x23, 0x52, 0x13, 0x7e, 0x52, 0xd7, 0xbd, 0xca,
		0xd6, 0xa0, 0xf7, 0x38, 0xdf, 0x30, 0x78, 0x2c,
		0xaa, 0x69, 0xa2, 0xcf, 0xb0, 0x27, 0x75, 0x54,
	};
	/* "6rriTRBi…" */
	static const unsigned char signature[SCRAM_KEY_LENGTH] = {
		0xea, 0xba, 0xe2, 0x4d, 0x10, 0x62, 0xdb, 0x75,
		0xa9, 0x45, 0x1f, 0xf0, 0xb6, 0xea, 0x7e, 0x98,
		0xc8, 0x54, 0x65, 0x49, 0xff, 0x74, 0x1e, 0x67,
		0x2d, 0x32, 0x51, 0xb2, 0x39, 0x7d, 0xe4, 0x6e,
	};
	struct scram scram = { 0 };

	is_number(scram_read_first(&scram, client_nonce), 0, "first message");
	is_text(scram.login.data, "user", "the login");
	scram_challenge(&scram, &secret, nonce);
	is_text(scram.answer.data, BOTH ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"the challenge");
	is_number(scram_read_final(&scram, "c=biws," BOTH PROOF), 0,
		  "last message");
	is_bytes(scram.proof, sizeof scram.proof, proof, sizeof proof,
		 "the proof");
	is_text(scram.signed_text.data,
		"n=user,r=rOprNGfwEbeRWgbNEkqO," BOTH
		",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws," BOTH,
		"what is signed");
	scram_sign(&scram, signature);
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
		int wanted;
	} rows[] = {
		{ "c=biws," BOTH PROOF, 0 },
		{ "c=biws," BOTH ",x=y" PROOF, 0 },
		{ "c=biws," BOTH PROOF ",x=y", -1 },
		{ "c=eSws," BOTH PROOF, -1 },
		{ "c=biws," BOTH "x" PROOF, -1 },
		{ "c=biws,r=rOprNGfwEbeRWgbNEkqO" PROOF, -1 },
		{ "c=biws," BOTH, -1 },
		{ "c=biws," BOTH ",p=", -1 },
		{ "c=biws," BOTH ",p=AAAA", -1 },
		{ PROOF, -1 },
		{ "", -1 },
		{ "c=biws," BOTH
		  ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		  0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scram scram = { 0 };

		begin(&scram);
		is_number(scram_read_final(&scram, rows[i].message),
			  rows[i].wanted, rows[i].message);
		scram_free(&scram);
	}
}

int main(void)
{
	test_secret();
	test_exchange();
	test_first();
	test_final();
	return done_testing();
}

/* DNS lists: how they are written, which name is asked, what an answer means.
   SPDX-License-Identifier: ISC */
#include "mail/dns_list.h"

#include <stdio.h>
#include <string.h>

#include "tap.h"

#define BYTES(literal) literal, sizeof(literal) - 1
/* One question, for "q" (at byte 12), and so many answers. */
#define HEAD(answers) "\1\2\x81\x80\0\1\0" answers "\0\0\0\0\1q\0\0\1\0\1"
#define OWNER "\xc0\x0c"
#define A OWNER "\0\1\0\1\0\0\0\1\0\4"
#define TXT OWNER "\0\x10\0\1\0\0\0\1"
#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define LABELS SIXTY "." SIXTY "." SIXTY /* 182 bytes */

/* "zone name weight message", with what else it is, or NULL. */
static const char *written(const char *text, enum dns_list_kind kind)
{
	static char out[1000];
	struct dns_list list;

	if (dns_list_parse(&list, text, kind)) return NULL;
	snprintf(out, sizeof out, "%s %s %d %s%s%s%s", list.zone, list.name,
		 list.weight, list.message ? list.message : "-",
		 list.has_secret ? " secret" : "",
		 dns_list_is_by_text(&list) ? " by-text" : "",
		 dns_list_speaks_for(&list) ? " speaks-for" : "");
	return out;
}

static const struct {
	const char *text;
	const char *wanted;
} refusing[] = {
	{ "bl.test", "bl.test bl.test 1 - by-text" },
	{ "BL.Test.", "BL.Test BL.Test 1 - by-text" },
	{ "_b-l", "_b-l _b-l 1 - by-text" },
	{ "bl.test:See http://x/?%IP%",
	  "bl.test bl.test 1 See http://x/?%IP%" },
	{ "bl.test: ", "bl.test bl.test 1  " },
	{ "bl.test=127.0.0.2", "bl.test bl.test 1 -" },
	{ "bl.test=127.0.0.2*2", "bl.test bl.test 2 -" },
	{ "bl.test*2", "bl.test bl.test 2 -" },
	{ "bl.test*0", "bl.test bl.test 0 -" },
	{ "bl.test*-3", "bl.test bl.test -3 - speaks-for" },
	{ "bl.test*1000000", "bl.test bl.test 1000000 -" },
	{ "k.bl.test#bl", "k.bl.test bl 1 - secret" },
	{ "k.bl.test#bl=127.0.0.[2;4..7]*2:No #1 [a:b]",
	  "k.bl.test bl 2 No #1 [a:b] secret" },
	{ "key.zen.dq.spamhaus.net",
	  "key.zen.dq.spamhaus.net zen.dq.spamhaus.net 1 - secret" },
	{ "key.ZEN.DQ.Spamhaus.Net.",
	  "key.ZEN.DQ.Spamhaus.Net ZEN.DQ.Spamhaus.Net 1 - secret" },
	{ "key.combined.mail.abusix.zone",
	  "key.combined.mail.abusix.zone combined.mail.abusix.zone 1 - "
	  "secret" },
	{ "key.zen.dq.spamhaus.net#mine=127.0.0.2",
	  "key.zen.dq.spamhaus.net mine 1 - secret" },
	{ "zen.spamhaus.org", "zen.spamhaus.org zen.spamhaus.org 1 - by-text" },
	{ "bl.test=[127].[0..0].0.[255;1..2;7]", "bl.test bl.test 1 -" },
	{ LABELS ".abcdef", LABELS ".abcdef " LABELS ".abcdef 1 - by-text" },
	{ "", NULL },
	{ ".", NULL },
	{ ".bl.test", NULL },
	{ "bl..test", NULL },
	{ " bl.test", NULL },
	{ "bl.test ", NULL },
	{ "bl\\.test", NULL },
	{ "bl.t\xc3\xa4st", NULL },
	{ SIXTY "abcd", NULL },
	{ LABELS ".abcdefg", NULL },
	{ ":text", NULL },
	{ "#name", NULL },
	{ "bl.test:", NULL },
	{ "bl.test#", NULL },
	{ "bl.test#a b", NULL },
	{ "bl.test#a#b", NULL },
	{ "bl.test#" LABELS ".abcdefg", NULL },
	{ "bl.test=", NULL },
	{ "bl.test=127.0.0", NULL },
	{ "bl.test=127.0.0.", NULL },
	{ "bl.test=127.0.0.256", NULL },
	{ "bl.test=127.0.0.2.3", NULL },
	{ "bl.test=127.0.0.2..3", NULL },
	{ "bl.test=127.0.0.[]", NULL },
	{ "bl.test=127.0.0.[2", NULL },
	{ "bl.test=127.0.0.[2;]", NULL },
	{ "bl.test=127.0.0.[2,3]", NULL },
	{ "bl.test=127.0.0.[3..2]", NULL },
	{ "bl.test=127.0.0.[2..]", NULL },
	{ "bl.test=127.0.0.[2.3]", NULL },
	{ "bl.test=127.0.0.2]", NULL },
	{ "bl.test=127.0.0.-2", NULL },
	{ "bl.test=192.0.2.1", NULL },
	{ "bl.test=[0..126;128..255].0.0.2", NULL },
	{ "bl.test*", NULL },
	{ "bl.test*-", NULL },
	{ "bl.test*+1", NULL },
	{ "bl.test*1x", NULL },
	{ "bl.test*1000001", NULL },
	{ "bl.test*99999999999999999999999", NULL },
	{ "bl.test*2=127.0.0.2", NULL },
	{ "bl.test=127.0.0.2#name", NULL },
};

static const struct {
	const char *text;
	const char *wanted;
} allowing[] = {
	{ "wl.test", "wl.test wl.test 0 - speaks-for" },
	{ "wl.test=127.0.[0..255].[1..3]", "wl.test wl.test 0 - speaks-for" },
	{ "wl.test*2", "wl.test wl.test -2 - speaks-for" },
	{ "wl.test*-2", NULL },
	{ "wl.test*0", NULL },
};

static void grammar(void)
{
	struct dns_list list;
	const char *mistake;

	for (size_t i = 0; i < sizeof refusing / sizeof *refusing; i++)
		is_text(written(refusing[i].text, DNS_LIST_REFUSES),
			refusing[i].wanted, refusing[i].text);
	for (size_t i = 0; i < sizeof allowing / sizeof *allowing; i++)
		is_text(written(allowing[i].text, DNS_LIST_ALLOWS),
			allowing[i].wanted, allowing[i].text);
	mistake = dns_list_parse(&list, "secretkey.bl.test=1.2#x",
				 DNS_LIST_REFUSES);
	ok(mistake && !strstr(mistake, "secretkey"),
	   "a mistake is told without the text");
}

/* The name that is asked for the address; "?" when one of them is wrong. */
static const char *asked(const char *text, const char *address)
{
	static char name[DNS_NAME];
	struct dns_list list;
	struct net_ip ip;

	if (dns_list_parse(&list, text, DNS_LIST_REFUSES) ||
	    net_ip_parse(address, &ip) < 0)
		return "?";
	return dns_list_question(&list, &ip, name);
}

static void questions(void)
{
#define ZEROS "0.0.0.0.0.0.0.0.0.0."
	is_text(asked("bl.test", "192.0.2.1"), "1.2.0.192.bl.test", "IPv4");
	is_text(asked("bl.test.", "::ffff:192.0.2.1"), "1.2.0.192.bl.test",
		"IPv4 in IPv6 clothes, and a zone with a dot at its end");
	is_text(asked("bl.test", "2001:db8::25"),
		"5.2.0.0." ZEROS ZEROS "8.b.d.0.1.0.0.2.bl.test", "IPv6");
	is_text(asked("k.bl.test#x=127.0.0.2*2:text", "192.0.2.1"),
		"1.2.0.192.k.bl.test", "the whole zone is asked");
	ok(strlen(asked(LABELS ".abcdef", "ffff::")) == DNS_NAME - 1,
	   "the longest zone makes the longest name");
}

static const struct {
	const char *list;
	const char *address;
	enum dns_list_answer refusing, allowing;
} judgements[] = {
	{ "l", "127.0.0.2", DNS_LIST_COUNTS, DNS_LIST_COUNTS },
	{ "l", "127.255.254.255", DNS_LIST_COUNTS, DNS_LIST_COUNTS },
	{ "l", "127.255.255.0", DNS_LIST_NO_SERVE, DNS_LIST_NO_SERVE },
	{ "l", "127.255.255.254", DNS_LIST_NO_SERVE, DNS_LIST_NO_SERVE },
	{ "l", "127.0.0.255", DNS_LIST_COUNTS, DNS_LIST_NO_SERVE },
	{ "l", "127.0.1.255", DNS_LIST_COUNTS, DNS_LIST_COUNTS },
	{ "l", "126.0.0.2", DNS_LIST_FOREIGN, DNS_LIST_FOREIGN },
	{ "l", "128.0.0.2", DNS_LIST_FOREIGN, DNS_LIST_FOREIGN },
	{ "l", "203.0.113.80", DNS_LIST_FOREIGN, DNS_LIST_FOREIGN },
	{ "l", "::1", DNS_LIST_FOREIGN, DNS_LIST_FOREIGN },
	{ "l=127.0.0.2", "127.0.0.2", DNS_LIST_COUNTS, DNS_LIST_COUNTS },
	{ "l=127.0.0.2", "127.0.0.3", DNS_LIST_NONE, DNS_LIST_NONE },
	{ "l=127.0.0.2", "127.0.1.2", DNS_LIST_NONE, DNS_LIST_NONE },
	{ "l=127.0.0.[2;4..7]", "127.0.0.3", DNS_LIST_NONE, DNS_LIST_NONE },
	{ "l=127.0.0.[2;4..7]", "127.0.0.4", DNS_LIST_COUNTS, DNS_LIST_COUNTS },
	{ "l=127.0.0.[2;4..7]", "127.0.0.7", DNS_LIST_COUNTS, DNS_LIST_COUNTS },
	{ "l=127.0.0.[2;4..7]", "127.0.0.8", DNS_LIST_NONE, DNS_LIST_NONE },
	{ "l=127.0.[0..255].[1..3]", "127.0.5.3", DNS_LIST_COUNTS,
	  DNS_LIST_COUNTS },
	{ "l=127.0.[0..255].[1..3]", "127.0.5.0", DNS_LIST_NONE,
	  DNS_LIST_NONE },
	{ "l=127.0.0.[0..255]", "127.0.0.255", DNS_LIST_COUNTS,
	  DNS_LIST_NO_SERVE },
	{ "l=127.255.255.254", "127.255.255.254", DNS_LIST_NO_SERVE,
	  DNS_LIST_NO_SERVE },
	{ "l=[0..255].[0..255].[0..255].[0..255]", "203.0.113.80",
	  DNS_LIST_FOREIGN, DNS_LIST_FOREIGN },
};

static enum dns_list_answer judge(const char *text, enum dns_list_kind kind,
				  const char *address)
{
	struct dns_list list;
	struct net_ip ip;

	if (dns_list_parse(&list, text, kind) || net_ip_parse(address, &ip) < 0)
		return (enum dns_list_answer)99;
	return dns_list_judge(&list, &ip);
}

static void addresses(void)
{
	for (size_t i = 0; i < sizeof judgements / sizeof *judgements; i++) {
		char name[100];

		snprintf(name, sizeof name, "%s says %s", judgements[i].list,
			 judgements[i].address);
		ok(judge(judgements[i].list, DNS_LIST_REFUSES,
			 judgements[i].address) == judgements[i].refusing,
		   name);
		ok(judge(judgements[i].list, DNS_LIST_ALLOWS,
			 judgements[i].address) == judgements[i].allowing,
		   "so too of a list that allows");
	}
	ok(judge("l*-1", DNS_LIST_REFUSES, "127.0.0.255") == DNS_LIST_NO_SERVE,
	   "127.0.0.255 from a list with a negative weight");
}

/* What is judged of a message's addresses, and by which: "2 127.0.0.2". */
static const char *judged(const char *text, const char *message, size_t length)
{
	static char out[NET_IP_TEXT + 10];
	char address[NET_IP_TEXT];
	struct dns_answer answer;
	struct dns_list list;
	struct net_ip which;
	enum dns_list_answer judgement;

	if (dns_list_parse(&list, text, DNS_LIST_REFUSES) ||
	    dns_answer_open(&answer, message, length, DNS_A) < 0)
		return NULL;
	judgement = dns_list_judge_all(&list, &answer, &which);
	snprintf(out, sizeof out, "%d %s", (int)judgement,
		 net_ip_format(&which, address));
	return out;
}

static void answers(void)
{
#define LISTED A "\x7f\0\0\2"
#define OTHER A "\x7f\0\0\3"
#define BLOCKED A "\x7f\xff\xff\xfe"
#define WEB A "\xcb\0\x71\x50"
	is_text(judged("l", BYTES(HEAD("\0"))), "0 unknown", "no address");
	is_text(judged("l", BYTES(HEAD("\1") LISTED)), "3 127.0.0.2", "one");
	is_text(judged("l", BYTES(HEAD("\3") WEB BLOCKED LISTED)),
		"3 127.0.0.2", "what counts weighs most");
	is_text(judged("l", BYTES(HEAD("\2") WEB BLOCKED)), "2 127.255.255.254",
		"then what is no answer");
	is_text(judged("l=127.0.0.2", BYTES(HEAD("\2") OTHER WEB)),
		"1 203.0.113.80", "then what is not from a list");
	is_text(judged("l=127.0.0.2", BYTES(HEAD("\2") OTHER OTHER)),
		"0 127.0.0.3", "then what the filter does not have");
	is_text(judged("l", BYTES(HEAD("\2") LISTED OTHER)), "3 127.0.0.2",
		"of two, the first is given");
	is_text(judged("l", BYTES(HEAD("\1") TXT "\0\2\1x")), "0 unknown",
		"a record of another type");
	is_text(judged("l", BYTES(HEAD("\1") OWNER "\0\1\0\1\0\0\0\1\0\3"
						   "\x7f\0\0")),
		"0 unknown", "three bytes are no address");
}

static const char *text_of(const char *message, size_t length)
{
	static char text[DNS_LIST_TEXT + 1];
	struct dns_answer answer;

	if (dns_answer_open(&answer, message, length, DNS_TXT) < 0) return NULL;
	return dns_list_text(&answer, text) ? text : NULL;
}

static const char *filled(const char *message, const char *ip)
{
	static char text[DNS_LIST_TEXT + 1];

	dns_list_fill_in(message, ip, text);
	return text;
}

static void texts(void)
{
	is_text(text_of(BYTES(HEAD("\1") TXT "\0\7\6listed")), "listed", "TXT");
	is_text(text_of(BYTES(HEAD("\2") TXT "\0\5\1a\2bc" TXT "\0\2\1d")),
		"abcd", "strings and records are joined");
	is_text(text_of(BYTES(HEAD("\1") TXT "\0\x0b\x0a"
					     "a\r\n\0\x7f\xff\x1b b~")),
		"a?????? b~", "what is not printable is a question mark");
	is_text(text_of(BYTES(HEAD("\1") TXT "\0\1\0")), "", "an empty one");
	is_text(text_of(BYTES(HEAD("\1") TXT "\0\2\7x")), NULL, "a broken one");
	is_text(text_of(BYTES(HEAD("\1") TXT "\0\xf0\xef" SIXTY SIXTY SIXTY
					     "12345678901234567890"
					     "more of it, that is cut off, up "
					     "to the 239")),
		SIXTY SIXTY SIXTY "12345678901234567890", "200 bytes at most");
	is_text(filled("no", "192.0.2.1"), "no", "a message");
	is_text(filled("%IP%, %ip% %IP%%", "192.0.2.1"),
		"192.0.2.1, %ip% 192.0.2.1%", "with the address");
	is_text(filled("%IP%IP%", "::1"), "::1IP%", "marks share nothing");
	is_text(filled("%IP%", "%IP%"), "%IP%",
		"what is put in stays as it is");
	is_text(filled("\x1b%IP%\n", "\xff"), "???", "made printable");
	is_text(filled(SIXTY SIXTY SIXTY "%IP%", "12345678901234567890more"),
		SIXTY SIXTY SIXTY "12345678901234567890", "200 bytes, too");
}

int main(void)
{
	grammar();
	questions();
	addresses();
	answers();
	texts();
	return done_testing();
}

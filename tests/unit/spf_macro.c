/* SPF's macros: the examples of RFC 7208 section 7.4, and what is longer, or
   stranger, than a name or a text may be.
   SPDX-License-Identifier: ISC */
#include "mail/spf_macro.h"

#include <string.h>

#include "tap.h"

static struct spf_values values = {
	.sender = "strong-bad@email.example.com",
	.local_part = "strong-bad",
	.sender_domain = "email.example.com",
	.domain = "email.example.com",
	.helo = "mx.example.org",
	.receiver = "receiver.example",
	.subject = "SPF record at email.example.com",
	.reason = "why not",
};

static struct spf_text text_of(const char *text)
{
	return (struct spf_text){ text, strlen(text) };
}

static const struct {
	const char *text;
	const char *ip;
	const char *wanted;
} examples[] = {
	{ "%{s}", "192.0.2.3", "strong-bad@email.example.com" },
	{ "%{o}", "192.0.2.3", "email.example.com" },
	{ "%{d}", "192.0.2.3", "email.example.com" },
	{ "%{d4}", "192.0.2.3", "email.example.com" },
	{ "%{d3}", "192.0.2.3", "email.example.com" },
	{ "%{d2}", "192.0.2.3", "example.com" },
	{ "%{d1}", "192.0.2.3", "com" },
	{ "%{dr}", "192.0.2.3", "com.example.email" },
	{ "%{d2r}", "192.0.2.3", "example.email" },
	{ "%{l}", "192.0.2.3", "strong-bad" },
	{ "%{l-}", "192.0.2.3", "strong.bad" },
	{ "%{lr}", "192.0.2.3", "strong-bad" },
	{ "%{lr-}", "192.0.2.3", "bad.strong" },
	{ "%{l1r-}", "192.0.2.3", "strong" },
	{ "%{ir}.%{v}._spf.%{d2}", "192.0.2.3",
	  "3.2.0.192.in-addr._spf.example.com" },
	{ "%{lr-}.lp._spf.%{d2}", "192.0.2.3",
	  "bad.strong.lp._spf.example.com" },
	{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "192.0.2.3",
	  "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
	{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "192.0.2.3",
	  "3.2.0.192.in-addr.strong.lp._spf.example.com" },
	{ "%{d2}.trusted-domains.example.net", "192.0.2.3",
	  "example.com.trusted-domains.example.net" },
	{ "%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01",
	  "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6."
	  "_spf.example.com" },
	{ "%{S}", "192.0.2.3", "strong-bad%40email.example.com" },
	{ "%{s.@}", "192.0.2.3", NULL },
	{ "%{s2+-,/_=.}", "192.0.2.3", "example.com" },
	{ "%{p}", "192.0.2.3", "unknown" },
	{ "%{c} is %{r}", "2001:db8::1", "2001:db8::1 is receiver.example" },
	{ "%{xr}, %{xs}: %{XE}", "192.0.2.3",
	  "receiver.example, SPF record at email.example.com: why%20not" },
	{ "%%%_%-", "192.0.2.3", "% %20" },
	{ "%{l0}", "192.0.2.3", NULL },
	{ "%{a}", "192.0.2.3", NULL },
	{ "%{xd}", "192.0.2.3", NULL },
	{ "%{", "192.0.2.3", NULL },
	{ "%{l", "192.0.2.3", NULL },
	{ "%{lrr}", "192.0.2.3", NULL },
	{ "%{l-r}", "192.0.2.3", NULL },
	{ "%", "192.0.2.3", NULL },
	{ "%(l)", "192.0.2.3", NULL },
	{ "a\tb", "192.0.2.3", NULL },
	{ "a\x80", "192.0.2.3", NULL },
};

static void test_examples(void)
{
	char room[200];

	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		struct spf_text text = text_of(examples[i].text);
		bool is_good = spf_macro_is_string(text, SPF_IN_LOCAL_TEXTS);

		net_ip_parse(examples[i].ip, &values.ip);
		if (is_good)
			spf_macro_explain(text, &values, room, sizeof room);
		is_text(is_good ? room : NULL, examples[i].wanted,
			examples[i].text);
	}
}

static void test_domains(void)
{
	static const struct {
		const char *text;
		bool is_domain;
	} rows[] = {
		{ "a.example", true },
		{ "a.example.", true },
		{ "%{d}", true },
		{ "x.%{d}", true },
		{ "%{d}.museum", true },
		{ "%{d}museum", false },
		{ "museum", false },
		{ "museum.", false },
		{ "a.123", false },
		{ "a.1-3", true },
		{ "a.-b", false },
		{ "a.b-", false },
		{ "a..", false },
		{ ".com", true },
		{ "", false },
		{ "a.b:8080", false },
		{ "x:y/z.example", true },
		{ "a b.example", false },
		{ "a.%%", true },
		{ "%{c}.example", false },
		{ "%{xr}.example", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_number(spf_macro_is_domain(text_of(rows[i].text)),
			  rows[i].is_domain, rows[i].text);
}

static const char *name_of(const char *text)
{
	static char name[DNS_NAME];

	return spf_macro_name(text_of(text), &values, name) ? name : NULL;
}

/* Of any length: only the end of it is a name. */
static void test_names(void)
{
	static char text[4 * 3000 + 2];
	char label[65] = "";

	memset(label, 'a', 64);
	for (size_t i = 0; i < 3000; i++) memcpy(text + 4 * i, "%{h}", 4);
	values.helo = "x";
	is_text(name_of(text), NULL, "a label of 3000 bytes");
	values.helo = "a.";
	text[sizeof text - 2] = 'b';
	is_number((long long)strlen(name_of(text)), 253,
		  "the last 253 bytes, from a label's first");
	values.helo = label;
	is_text(name_of("%{h}.example"), NULL, "a label of 64 bytes");
	label[63] = '\0';
	ok(name_of("%{h}.example") != NULL, "one of 63");
	values.helo = "a..b";
	is_text(name_of("%{h}.example"), NULL, "an empty label");
	values.helo = "";
	is_text(name_of("%{h}.example"), NULL, "one at the start");
	is_text(name_of("%{h}"), NULL, "nothing at all");
	values.helo = "a\nb";
	is_text(name_of("%{h}.example"), NULL, "a line end");
	values.helo = "\xc3\xa4";
	is_text(name_of("%{h}.example"), NULL, "no ASCII");
	is_text(name_of("a%_b.example."), "a b.example", "a blank, a last dot");
}

static void test_texts(void)
{
	static char text[4 * 3000 + 1];
	char room[11];

	for (size_t i = 0; i < 3000; i++) memcpy(text + 4 * i, "%{H}", 4);
	values.helo = "\xe4+\n";
	spf_macro_explain(text_of(text), &values, room, sizeof room);
	is_text(room, "%E4%2B%0A%", "it is cut where the room ends");
	spf_macro_explain(text_of("%{h}%{hr}"), &values, room, sizeof room);
	is_text(room, "?+??+?", "and printable");
	spf_macro_explain(text_of("abc"), &values, room, 1);
	is_text(room, "", "no room at all");
}

int main(void)
{
	test_examples();
	test_domains();
	test_names();
	test_texts();
	return done_testing();
}

/* Domain names beyond ASCII, against what RFC 3492 and the registries give.
   SPDX-License-Identifier: ISC */
#include "mail/idn.h"

#include <errno.h>
#include <string.h>

#include "tap.h"

static const struct {
	const char *domain;
	const char *ascii; /* NULL: none */
	const char *name;
} rows[] = {
	{ "example.com", "example.com", "ASCII" },
	{ "EXAMPLE.com.", "EXAMPLE.com.", "as it stands" },
	{ "", "", "nothing" },
	{ "b\xc3\xbc"
	  "cher.example",
	  "xn--bcher-kva.example", "one letter" },
	{ "m\xc3\xbcnchen.b\xc3\xbc"
	  "cher",
	  "xn--mnchen-3ya.xn--bcher-kva", "two labels" },
	{ "fa\xc3\x9f.de", "xn--fa-hia.de", "a letter that is no other" },
	{ "\xe2\x98\x83.example", "xn--n3h.example", "none of ASCII" },
	{ "\xe4\xbe\x8b\xe3\x81\x88.jp", "xn--r8jz45g.jp", "two scripts" },
	{ "\xe3\x83\x89\xe3\x83\xa1\xe3\x82\xa4\xe3\x83\xb3\xe5\x90\x8d\xe4\xbe"
	  "\x8b.jp",
	  "xn--eckwd4c7cu47r2wf.jp", "a longer one" },
	{ "\xd9\x84\xd9\x8a\xd9\x87\xd9\x85\xd8\xa7\xd8\xa8\xd8\xaa\xd9\x83\xd9"
	  "\x84\xd9\x85\xd9\x88\xd8\xb4\xd8\xb9\xd8\xb1\xd8\xa8\xd9\x8a\xd8"
	  "\x9f",
	  "xn--egbpdaj6bu4bxfgehfvwxn", "RFC 3492 section 7.1 (A)" },
	{ "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8"
	  "\x8d\xe8\xaf\xb4\xe4\xb8\xad\xe6\x96\x87",
	  "xn--ihqwcrb4cv8a8dqg056pqjye", "section 7.1 (B)" },
	{ "\xf0\x9f\x92\xa9.la", "xn--ls8h.la", "four bytes" },
	{ "a\xff.example", NULL, "no UTF-8" },
	{ "a\xc3", NULL, "half a letter" },
	{ "a\xc3.example", NULL, "half a letter and a dot" },
	{ "\xc0\xaf.example", NULL, "longer than it need be" },
	{ "\xe0\x80\xaf.example", NULL, "in three bytes" },
	{ "\xed\xa0\x80.example", NULL, "half of a pair" },
	{ "\xf4\x90\x80\x80.example", NULL, "beyond the last" },
	{ "\xc2\x85.example", NULL, "a control" },
};

int main(void)
{
	char ascii[DNS_NAME], domain[1024];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int result = idn_to_ascii(rows[i].domain, ascii);

		is_text(result == 0 ? ascii : NULL, rows[i].ascii,
			rows[i].name);
		if (result < 0) is_number(errno, EILSEQ, "and errno says so");
	}
	memset(domain, 'a', sizeof domain - 1);
	domain[sizeof domain - 1] = '\0';
	is_number(idn_to_ascii(domain, ascii), -1, "a label that is too long");
	is_number(errno, ENAMETOOLONG, "errno says so");
	for (size_t i = 60; i < sizeof domain - 1; i += 61) domain[i] = '.';
	is_number(idn_to_ascii(domain, ascii), -1, "too long a name");
	is_text(ascii, "", "nothing is left of it");
	for (size_t i = 0; i < sizeof domain - 1; i++)
		domain[i] = i % 2 ? '\xa4' : '\xc3';
	is_number(idn_to_ascii(domain, ascii), -1, "too many letters");
	domain[2 * 63] = '\0';
	is_number(idn_to_ascii(domain, ascii), 0, "as many as can be");
	return done_testing();
}

/* spfcheck: may this client send mail in the name of that sender (SPF, RFC
   7208)? Three lines tell: the result, the explanation for who is refused, and
   the header field Received-SPF; the exit code is the result, too. With -d a
   fourth one tells what was checked, and by whom it was decided. With -r it says
   instead whether the client's own name is confirmed (iprev, RFC 8601 section
   3).

   Takes the arguments, SPFRECEIVER (the name of this host, for texts),
   SPF_BLOCK_PLUS_ALL and DNSCACHEIP. Whatever the client and the domain write,
   a line is a line.
   SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "mail/spf.h"
#include "mail/spf_mechanism.h"

static const char synopsis[] = "spfcheck [ -dlr ] [ -t seconds ] ip "
			       "[ helo sender [ rules [ guess [ text ] ] ] ]";

enum { MOST_SECONDS = 3600 };

/* What Mail::SPF's spfquery exits with. */
static const int exits[] = {
	[SPF_PASS] = 0,    [SPF_FAIL] = 1,      [SPF_SOFTFAIL] = 2,
	[SPF_NEUTRAL] = 3, [SPF_PERMERROR] = 4, [SPF_TEMPERROR] = 5,
	[SPF_NONE] = 6,
};

static const char *receiver_name(void)
{
	static char host[256];
	const char *name = getenv("SPFRECEIVER");

	if (name && *name) return name;
	if (gethostname(host, sizeof host - 1) < 0 || !*host) return "unknown";
	return host;
}

static void warn_of_servers(int opened)
{
	if (opened < 0) warn("DNSCACHEIP is no list of addresses");
}

/* One write, as a caller may read until it has something. */
static void print(const struct str *text)
{
	const char *at = text->data;
	size_t left = text->length;

	while (left > 0) {
		ssize_t written = write(STDOUT_FILENO, at, left);

		if (written < 0) die_temporary("unable to write output:");
		at += written;
		left -= (size_t)written;
	}
}

/* "DOMAIN mailfrom record", or those and "address": no word of it is empty, or
   more than one. */
static void append_details(struct str *text, const struct spf_check *check)
{
	size_t length = strlen(check->identity);

	str_append_printable(text, length ? check->identity : "-",
			     length ? length : 1);
	str_append_text(text, check->is_helo ? " helo" : " mailfrom");
	str_append_text(text, spf_is_by_policy(check) ? " local" : " record");
	if (check->evaluation.is_of_address && !check->is_helo)
		str_append_text(text, " address");
	str_append_byte(text, '\n');
}

static int check_sender(struct spf_request *request, bool is_detailed)
{
	static struct spf_check check;
	struct str text = { 0 };

	request->receiver = receiver_name();
	request->blocks_plus_all = parse_flag(getenv("SPF_BLOCK_PLUS_ALL"));
	warn_of_servers(spf_check(&check, request));
	str_append_text(&text, spf_result_word(check.result));
	str_append_byte(&text, '\n');
	str_append_text(&text, check.explanation);
	str_append_byte(&text, '\n');
	spf_append_header(&text, &check, request);
	str_append_byte(&text, '\n');
	if (is_detailed) append_details(&text, &check);
	print(&text);
	return exits[check.result];
}

static enum spf_result result_of_name(enum spf_match match)
{
	switch (match) {
	case SPF_MATCHES: return SPF_PASS;
	case SPF_VOID: return SPF_PERMERROR;
	case SPF_LOST: return SPF_TEMPERROR;
	case SPF_DIFFERS:
	case SPF_TOO_MANY: break;
	}
	return SPF_FAIL;
}

/* RFC 8601 section 3: the PTR names that lead back to the client. */
static int check_name(const struct spf_request *request)
{
	static struct dns_cache cache;
	struct str text = { 0 };
	char host[DNS_NAME] = "";
	enum spf_result result;

	warn_of_servers(dns_cache_open(&cache, request->servers,
				       deadline_in(request->seconds)));
	result = request->ip.family == NET_NONE
			 ? SPF_PERMERROR
			 : result_of_name(spf_confirm_host(&cache, &request->ip,
							   host));
	str_append_text(&text, spf_result_word(result));
	str_append_byte(&text, '\n');
	str_append_text(&text, host);
	str_append_byte(&text, '\n');
	print(&text);
	return exits[result];
}

int main(int argc, char **argv)
{
	struct spf_request request = {
		.servers = getenv("DNSCACHEIP"),
		.seconds = SPF_SECONDS,
	};
	bool is_reverse = false, is_detailed = false;
	int letter;

	program_name = "spfcheck";
	while ((letter = option_next(argc, argv, "dlrt:", synopsis)) != -1)
		switch (letter) {
		case 'd': is_detailed = true; break;
		case 'l': request.is_ours = true; break;
		case 'r': is_reverse = true; break;
		default:
			request.seconds = option_number(letter, 1, MOST_SECONDS,
							synopsis);
		}
	argc -= optind;
	argv += optind;
	if (is_reverse ? argc != 1 : argc < 3 || argc > 6) die_usage(synopsis);
	(void)net_ip_parse(argv[0], &request.ip);
	if (is_reverse) return check_name(&request);
	request.helo = argv[1];
	request.sender = argv[2];
	if (argc > 3) request.rules = argv[3];
	if (argc > 4) request.guess = argv[4];
	if (argc > 5) request.explanation = argv[5];
	return check_sender(&request, is_detailed);
}

/* tcprulescheck: says what tcpserver would do with a client, by a compiled
   rules file. The surprise: it ends with 0 for a client that is denied too, and
   what it prints of such a rule ends at "deny connection", whatever variables
   stand behind. The text is read by scripts, so it never changes.
   Takes the client from TCPREMOTEIP (0.0.0.0 when it is not set), TCPREMOTEHOST
   and TCPREMOTEINFO, each compared as text, byte for byte. 100 for wrong use,
   111 for a file that cannot be read or is damaged.
   SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/rules.h"
#include "system/table.h"

static const char usage[] = "tcprulescheck rules.cdb";

enum { SHOWN_NAME = 1024 };

static _Noreturn void fail_to_read(const char *path)
{
	char shown[SHOWN_NAME];

	printable_text(shown, sizeof shown, path);
	die_temporary("unable to read %s:", shown);
}

static void print_rule(const struct rules_match *match)
{
	const char *item;
	size_t at = 0;

	printf("rule ");
	fwrite(match->key.data, 1, match->key.length, stdout);
	printf(":\n");
	while ((item = rules_next_item(match->data, match->data_length, &at))) {
		if (*item == 'D') {
			printf("deny connection\n");
			return;
		}
		printf("set environment variable %s\n", item + 1);
	}
	printf("allow connection\n");
}

int main(int argc, char **argv)
{
	struct rules_client client = {
		.ip = getenv("TCPREMOTEIP"),
		.host = getenv("TCPREMOTEHOST"),
		.info = getenv("TCPREMOTEINFO"),
	};
	struct rules_match match = { 0 };
	struct table table;
	enum table_answer answer;

	program_name = "tcprulescheck";
	option_next(argc, argv, "", usage);
	if (argc - optind != 1) die_usage(usage);
	if (!client.ip) client.ip = "0.0.0.0";

	if (table_open(&table, argv[optind]) < 0) fail_to_read(argv[optind]);
	answer = rules_find(&table, &client, &match);
	if (answer == TABLE_FAILED) fail_to_read(argv[optind]);
	if (answer == TABLE_FOUND) print_rule(&match);
	else printf("default:\nallow connection\n");
	if (fflush(stdout) != 0) die_temporary("unable to write output:");
	return EXIT_DONE;
}

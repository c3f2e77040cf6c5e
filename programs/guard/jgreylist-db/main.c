/* jgreylist-db: what jgreylist's store has, in a folder or in Redis: lists it,
   tells what would happen to a client now and why, and changes entries. The
   store is the one that jgreylist's own variables name, so it is best run with
   the server's environment. The surprise: asked about a client, it never makes
   the entry that jgreylist would make.
   Takes addresses in any spelling, or networks as it lists them. Its exit code
   for a client is what happens to it: 0 let in, 1 grey, 2 refused. 100 for wrong
   use, 111 when the store failed.
   SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "change.h"
#include "explain.h"
#include "list.h"
#include "notation.h"
#include "store.h"

static const char usage[] =
	"jgreylist-db [ -l ] [ ip | -c | -e | -a ip ... | -d ip ... "
	"| -s network first last ... ]";

struct request {
	int action; /* its letter, or 0 */
	enum notation notation;
	int count;
	char **words;
};

static struct request read_request(int argc, char **argv)
{
	struct request request = { .notation = TAI64N };
	int letter;

	while ((letter = option_next(argc, argv, "acdels", usage)) != -1) {
		if (letter == 'l') request.notation = LOCAL_TIME;
		else if (request.action) die_usage(usage);
		else request.action = letter;
	}
	request.count = argc - optind;
	request.words = argv + optind;
	return request;
}

static void want(int is_right)
{
	if (!is_right) die_usage(usage);
}

static int exit_code(int result)
{
	return result < 0 ? EXIT_TRY_AGAIN : EXIT_DONE;
}

static int do_it(const struct request *request, struct store *store)
{
	switch (request->action) {
	case 'a':
		want(request->count > 0);
		return change_to_known(store, request->words);
	case 'd':
		want(request->count > 0);
		return change_to_unknown(store, request->words);
	case 's':
		want(request->count > 0 &&
		     request->count % WORDS_OF_ENTRY == 0);
		return change_entries(store, request->words);
	case 'c':
		want(request->count == 0);
		return exit_code(list_counts(store));
	case 'e':
		want(request->count == 0);
		return exit_code(list_commands(store));
	default:
		want(request->count <= 1);
		if (request->count == 1)
			return (int)explain(store, request->words[0],
					    request->notation);
		return exit_code(list_entries(store, request->notation));
	}
}

int main(int argc, char **argv)
{
	struct request request;
	struct store store;
	int code;

	program_name = "jgreylist-db";
	request = read_request(argc, argv);
	store = store_from_environment();
	code = do_it(&request, &store);
	if (fflush(stdout) != 0) die_temporary("unable to write output:");
	if (ferror(stdout)) die_temporary("unable to write output");
	return code;
}

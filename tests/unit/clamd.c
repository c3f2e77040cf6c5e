/* clamd's answers, each as clamd 1.4 gives it, and what no clamd says.
   SPDX-License-Identifier: ISC */
#include "mail/clamd.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void parse(const char *bytes, size_t length, struct clamd_reply *reply)
{
	char *copy = malloc(length + 1); /* of its own, for a sanitizer */

	memcpy(copy, bytes, length);
	memset(reply, 'x', sizeof *reply);
	clamd_parse(copy, length, reply);
	free(copy);
}

#define IS(bytes, wanted, words)                                               \
	is_reply(bytes, sizeof(bytes) - 1, CLAMD_##wanted, words)

static void is_reply(const char *bytes, size_t length,
		     enum clamd_verdict wanted, const char *words)
{
	struct clamd_reply reply;

	parse(bytes, length, &reply);
	is_number(reply.verdict, wanted, bytes);
	is_text(reply.text, words, "its text");
}

static void verdicts(void)
{
	IS("stream: OK\0", CLEAN, "stream: OK");
	IS("stream: OK\n", CLEAN, "stream: OK");
	IS("fd[12]: OK\0", CLEAN, "fd[12]: OK");
	IS("stream: Eicar-Signature FOUND\0", FOUND, "Eicar-Signature");
	IS("fd[12]: Local.Eicar.NDB.UNOFFICIAL FOUND\0", FOUND,
	   "Local.Eicar.NDB.UNOFFICIAL");
	IS("stream: Name(44d88612fea8a8f36de82e1278abb02f:68) FOUND\0", FOUND,
	   "Name(44d88612fea8a8f36de82e1278abb02f:68)");
	IS("stream: OK FOUND\0", FOUND, "OK");
	IS("stream: a FOUND FOUND\0", FOUND, "a FOUND");
	IS("stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0", LIMITED,
	   "Heuristics.Limits.Exceeded.MaxFileSize");
	IS("INSTREAM size limit exceeded. ERROR\0", TOO_LARGE,
	   "INSTREAM size limit exceeded. ERROR");
}

static void failures(void)
{
	struct clamd_reply reply;
	char flood[2000];

	IS("", FAILED, "");
	IS("\0", FAILED, "");
	IS("COMMAND READ TIMED OUT\n", FAILED, "COMMAND READ TIMED OUT");
	IS("UNKNOWN COMMAND\0", FAILED, "UNKNOWN COMMAND");
	IS("COMMAND UNAVAILABLE\0", FAILED, "COMMAND UNAVAILABLE");
	IS("fd[12]: Not a regular file ERROR\0", FAILED,
	   "fd[12]: Not a regular file ERROR");
	IS("stream: Can't allocate memory ERROR\0", FAILED,
	   "stream: Can't allocate memory ERROR");
	IS("stream: OK", FAILED, "stream: OK");
	IS("stream: Name FOUND", FAILED, "stream: Name FOUND");
	IS("stream: OK\0stream: Name FOUND\0", FAILED, "stream: OK");
	IS("stream: OK\r\n", FAILED, "stream: OK?");
	IS("stream: OKAY\0", FAILED, "stream: OKAY");
	IS("stream: NOT OK\0", FAILED, "stream: NOT OK");
	IS("stream:OK\0", FAILED, "stream:OK");
	IS("stream:\0", FAILED, "stream:");
	IS("OK\0", FAILED, "OK");
	IS("stream:  FOUND\0", FAILED, "stream:  FOUND");
	IS("stream: FOUND\0", FAILED, "stream: FOUND");
	IS("Name FOUND\0", FAILED, "Name FOUND");
	IS("stream: \033[2J\200 FOUND\0", FOUND, "?[2J?");
	memset(flood, 'a', sizeof flood);
	parse(flood, sizeof flood, &reply);
	is_number(reply.verdict, CLAMD_FAILED, "an endless line");
	is_number((long long)strlen(reply.text), CLAMD_TEXT_LIMIT - 1,
		  "of which the beginning is kept");
	is_text(reply.text + CLAMD_TEXT_LIMIT - 4, "...", "and that shows");
}

static void ends(void)
{
	ok(!clamd_is_whole("", 0), "nothing is not whole");
	ok(!clamd_is_whole("stream: OK", 10), "without its end it is not");
	ok(clamd_is_whole("stream: OK", 11), "with a NUL it is");
	ok(clamd_is_whole("COMMAND READ TIMED OUT\n", 23), "and with LF");
}

int main(void)
{
	verdicts();
	failures();
	ends();
	return done_testing();
}

/* rspamd's answers: verdicts, what is none, and what they order for the header and
   the envelope.
   SPDX-License-Identifier: ISC */
#include "mail/rspamd.h"

#include <stdlib.h>
#include <string.h>

#include "mail/spam_score.h"
#include "tap.h"

#define OK "HTTP/1.1 200 OK\r\n\r\n"

static bool parse(const char *text, struct rspamd_reply *reply)
{
	return rspamd_parse(text, strlen(text), reply);
}

static const struct {
	const char *answer;
	enum rspamd_action action;
	long score, required, reject;
	const char *message;
} verdicts[] = {
	{ OK "{\"action\":\"no action\"}", RSPAMD_NO_ACTION, 0, 0, 0, NULL },
	{ OK "{\"action\":\"greylist\",\"score\":4.005,\"required_score\":15}",
	  RSPAMD_GREYLIST, 401, 1500, 1500, NULL },
	{ OK "{\"action\":\"add header\",\"score\":-1.5,"
	     "\"required_score\":null}",
	  RSPAMD_ADD_HEADER, -150, 0, 0, NULL },
	{ OK "{\"action\":\"rewrite subject\",\"required_score\":15,"
	     "\"thresholds\":{\"reject\":12.5,\"add header\":6}}",
	  RSPAMD_REWRITE_SUBJECT, 0, 600, 1250, NULL },
	{ OK "{\"action\":\"soft reject\","
	     "\"messages\":{\"smtp_message\":\"later\"}}",
	  RSPAMD_SOFT_REJECT, 0, 0, 0, "later" },
	{ OK "{\"is_skipped\":true,\"action\":\"reject\",\"score\":1e999}",
	  RSPAMD_REJECT, SPAM_SCORE_LIMIT, 0, 0, NULL },
	{ OK "{\"action\":\"discard\"}", RSPAMD_DISCARD, 0, 0, 0, NULL },
	{ OK "{\"action\":\"quarantine\"}", RSPAMD_QUARANTINE, 0, 0, 0, NULL },
	{ OK "{\"action\":\"Reject\"}", RSPAMD_UNKNOWN, 0, 0, 0, NULL },
	{ OK "{\"action\":\"reject\",\"milter\":{\"reject\":\"discard\"}}",
	  RSPAMD_DISCARD, 0, 0, 0, NULL },
	{ OK "{\"action\":\"reject\",\"milter\":{\"reject\":\"quarantine\"}}",
	  RSPAMD_QUARANTINE, 0, 0, 0, NULL },
	{ OK "{\"action\":\"reject\",\"milter\":{\"reject\":\"nope\"}}",
	  RSPAMD_REJECT, 0, 0, 0, "nope" },
	{ OK "{\"action\":\"add header\",\"milter\":{\"reject\":\"discard\"}}",
	  RSPAMD_ADD_HEADER, 0, 0, 0, NULL },
	{ OK "{\"action\":\"reject\",\"milter\":{\"no_action\":true}}",
	  RSPAMD_NO_ACTION, 0, 0, 0, NULL },
	{ OK "{\"action\":\"reject\",\"milter\":[1]}", RSPAMD_REJECT, 0, 0, 0,
	  NULL },
	{ "HTTP/1.0 200 OK\r\ncontent-length:  22\r\n\r\n"
	  "{\"action\":\"no action\"}and more",
	  RSPAMD_NO_ACTION, 0, 0, 0, NULL },
	{ OK "{\"action\":\"no action\"} \r\n", RSPAMD_NO_ACTION, 0, 0, 0,
	  NULL },
};

static void try_verdicts(void)
{
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
		struct rspamd_reply reply;

		if (!ok(parse(verdicts[i].answer, &reply), "a verdict")) {
			printf("# %s: %s\n", verdicts[i].answer, reply.text);
			continue;
		}
		is_number(reply.action, verdicts[i].action, "its action");
		is_number(reply.score, verdicts[i].score, "its score");
		is_number(reply.required, verdicts[i].required, "for a mark");
		is_number(reply.reject, verdicts[i].reject, "to be rejected");
		is_text(reply.message, verdicts[i].message, "its message");
		rspamd_free(&reply);
	}
}

static const struct {
	const char *answer, *text;
} failures[] = {
	{ "", "no answer" },
	{ "garbage", "an answer that is not HTTP" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
	  "an answer that is not HTTP" },
	{ OK, "an answer that is not JSON" },
	{ OK "[]", "an answer that is not JSON" },
	{ OK "\"reject\"", "an answer that is not JSON" },
	{ OK "{\"action\":\"no action\"", "an answer that is not JSON" },
	{ OK "{\"action\":\"no action\"} x", "an answer that is not JSON" },
	{ OK "{\"score\":1}", "an answer without an action" },
	{ OK "{\"action\":7}", "an answer without an action" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
	  "{\"action\":\"no action\"}",
	  "half an answer" },
	{ "HTTP/1.1 500 no\r\n\r\n{\"action\":\"no action\"}",
	  "an error of HTTP" },
	{ "HTTP/1.1 404 no\r\n\r\nno", "an error of HTTP" },
	{ "HTTP/1.1 2000\r\n\r\n{}", "an answer without an action" },
	{ "HTTP/1.1 500 no\r\n\r\n{\"error\":\"in\\nvalid\"}", "in?valid" },
	{ OK "{\"action\":\"reject\",\"error\":\"\"}", "an error" },
};

static void try_failures(void)
{
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
		struct rspamd_reply reply;

		ok(!parse(failures[i].answer, &reply), "no verdict");
		is_text(reply.text, failures[i].text, "and why");
	}
}

static bool parse_made(const char *start, const char *piece, size_t times,
		       const char *end)
{
	struct rspamd_reply reply;
	struct str answer = { 0 };
	bool result;

	str_append_text(&answer, OK "{\"action\":\"reject\",\"x\":");
	str_append_text(&answer, start);
	while (times-- > 0) str_append_text(&answer, piece);
	str_append_text(&answer, end);
	result = rspamd_parse(answer.data, answer.length, &reply);
	if (result) rspamd_free(&reply);
	str_free(&answer);
	return result;
}

static void try_limits(void)
{
	ok(parse_made("", "[", RSPAMD_NESTING - 1,
		      "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"),
	   "nested as deep as may be");
	ok(!parse_made("", "[", RSPAMD_NESTING, "]"), "deeper");
	ok(!parse_made("", "[", 900000, ""), "far too deep");
	ok(parse_made("\"", "[\\\"{,", 30000, "\"}"), "a text is no list");
	ok(parse_made("[0", ",0", RSPAMD_VALUES - 10, "]}"), "a long list");
	ok(!parse_made("[0", ",0", RSPAMD_VALUES, "]}"), "a longer one");
}

static void try_whole(void)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{  }";

	for (size_t length = 0; length < sizeof answer - 1; length++)
		if (rspamd_is_whole(answer, length))
			ok(false, "whole too early");
	ok(rspamd_is_whole(answer, sizeof answer - 1), "whole");
	ok(!rspamd_is_whole(OK "{}", sizeof OK + 1), "nobody knows");
	ok(!rspamd_is_whole("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
			    40),
	   "no length");
}

static char message[] = "Received: a\n\tb\nFrom: c\nX-Spam: 1\nX-Spam: 2\n"
			"Subject: d\n\nbody\n";

static const struct {
	const char *name, *json, *mark, *after;
} edits[] = {
	{ "a text goes to the end",
	  "\"milter\":{\"add_headers\":{\"X\":\"y\"}}", NULL,
	  "Received: a\n\tb\nFrom: c\nX-Spam: 1\nX-Spam: 2\nSubject: d\nX: "
	  "y\n" },
	{ "objects, and lists of them",
	  "\"milter\":{\"add_headers\":{\"X\":[{\"value\":\"1\",\"order\":1},"
	  "{\"value\":\"0\",\"order\":0},{\"value\":\"e\",\"order\":-1},"
	  "{\"value\":\"n\"},\"t\"],\"Y\":{\"value\":\"i\",\"index\":-2},"
	  "\"Z\":7,\"A\":{\"value\":8}}}",
	  NULL,
	  "X: 0\nReceived: a\n\tb\nX: 1\nFrom: c\nX-Spam: 1\nX-Spam: 2\n"
	  "Subject: d\nX: e\nX: n\nY: i\nX: t\n" },
	{ "removed before added",
	  "\"milter\":{\"add_headers\":{\"From\":\"x\"},"
	  "\"remove_headers\":{\"from\":0,\"X-Spam\":2,\"Subject\":-1,"
	  "\"Received\":2,\"*\":0,\"X\":\"1\"}}",
	  NULL, "Received: a\n\tb\nX-Spam: 1\nFrom: x\n" },
	{ "a mark", "\"score\":7", "X-Spam",
	  "X-Spam: Yes\nReceived: a\n\tb\nFrom: c\nSubject: d\n" },
	{ "a mark of rspamd's", "\"milter\":{\"spam_header\":\"very\"}",
	  "X-Spam", "X-Spam: very\nReceived: a\n\tb\nFrom: c\nSubject: d\n" },
	{ "other marks",
	  "\"milter\":{\"spam_header\":{\"X-Junk\":\"very\",\"From\":\"x\"}}",
	  "X-Spam",
	  "From: x\nX-Junk: very\nReceived: a\n\tb\nX-Spam: 1\nX-Spam: 2\n"
	  "Subject: d\n" },
	{ "no mark without need", "\"milter\":{\"spam_header\":\"very\"}", NULL,
	  NULL },
	{ "a signature, byte for byte",
	  "\"dkim-signature\":\"v=1; a=b;\\n\\tb=c\"", NULL,
	  "DKIM-Signature: v=1; a=b;\n\tb=c\nReceived: a\n\tb\nFrom: c\n"
	  "X-Spam: 1\nX-Spam: 2\nSubject: d\n" },
	{ "signatures in their order", "\"dkim-signature\":[\"1\",\"2\",3]",
	  NULL,
	  "DKIM-Signature: 1\nDKIM-Signature: 2\nReceived: a\n\tb\nFrom: c\n"
	  "X-Spam: 1\nX-Spam: 2\nSubject: d\n" },
	{ "a value of two fields",
	  "\"milter\":{\"add_headers\":{\"X\":\"y\\r\\nBcc: z\",\"A "
	  "b\":\"c\"}}",
	  NULL,
	  "Received: a\n\tb\nFrom: c\nX-Spam: 1\nX-Spam: 2\nSubject: d\n"
	  "X: y\n\tBcc: z\n" },
	{ "nothing of the kind that is wanted",
	  "\"milter\":{\"add_headers\":[\"x\"],\"remove_headers\":[0],"
	  "\"spam_header\":1},\"dkim-signature\":{\"x\":\"y\"}",
	  NULL, NULL },
};

static void reply_of(const char *json, struct rspamd_reply *reply)
{
	struct str answer = { 0 };

	str_append_text(&answer, OK "{\"action\":\"no action\",");
	str_append_text(&answer, json);
	str_append_text(&answer, "}");
	if (!parse(answer.data, reply)) {
		printf("Bail out! %s: %s\n", json, reply->text);
		exit(1);
	}
	str_free(&answer);
}

static void try_edits(void)
{
	struct stage_message whole = { .bytes = message,
				       .size = sizeof message - 1,
				       .fd = -1 };

	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		struct header_edit edit = { 0 };
		struct rspamd_reply reply;

		reply_of(edits[i].json, &reply);
		header_edit_take(&edit, &whole);
		rspamd_edit_header(&reply, &edit, edits[i].mark);
		if (edits[i].after)
			is_text(edit.text.data, edits[i].after, edits[i].name);
		else ok(!edit.is_changed, edits[i].name);
		str_free(&edit.text);
		rspamd_free(&reply);
	}
}

static size_t count_added(size_t count)
{
	struct stage_message whole = { .bytes = message,
				       .size = sizeof message - 1,
				       .fd = -1 };
	struct header_edit edit = { 0 };
	struct rspamd_reply reply;
	struct str json = { 0 };
	size_t added;

	str_append_text(&json, "\"milter\":{\"add_headers\":{\"X\":[\"y\"");
	while (--count > 0) str_append_text(&json, ",\"y\"");
	str_append_text(&json, "]}}");
	reply_of(json.data, &reply);
	header_edit_take(&edit, &whole);
	rspamd_edit_header(&reply, &edit, NULL);
	added = header_edit_remove(&edit, "X", HEADER_ALL);
	str_free(&json);
	str_free(&edit.text);
	rspamd_free(&reply);
	return added;
}

/* NULs as '|'. */
static void try_envelope(const char *json, const char *wanted, const char *name)
{
	static const char bytes[] = "Fa@b\0Tc@d\0Tg@h\0";
	struct envelope envelope;
	struct rspamd_reply reply;
	struct str changed = { 0 };
	bool is_changed;

	envelope_parse(bytes, sizeof bytes, &envelope);
	reply_of(json, &reply);
	is_changed = rspamd_edit_envelope(&reply, &envelope, &changed);
	for (size_t i = 0; i < changed.length; i++)
		if (!changed.data[i]) changed.data[i] = '|';
	if (wanted) is_text(changed.data, wanted, name);
	else ok(!is_changed, name);
	str_free(&changed);
	rspamd_free(&reply);
}

int main(void)
{
	try_verdicts();
	try_failures();
	try_limits();
	try_whole();
	try_edits();
	is_number((long long)count_added(RSPAMD_EDITS + 9), RSPAMD_EDITS,
		  "no more fields than that");
	try_envelope("\"score\":1", NULL, "an envelope as it was");
	try_envelope("\"milter\":{\"change_from\":\"<x@y>\"}",
		     "Fx@y|Tc@d|Tg@h||", "another sender");
	try_envelope("\"milter\":{\"change_from\":\"<>\"}", "F|Tc@d|Tg@h||",
		     "no sender");
	try_envelope("\"milter\":{\"change_from\":\"a@b\"}", NULL,
		     "the same sender");
	try_envelope("\"milter\":{\"change_from\":\"a\\nTx@y\"}", NULL,
		     "no address");
	try_envelope("\"milter\":{\"add_rcpt\":[\"<x@y>\",\"C@D\",\"\",7]}",
		     "Fa@b|Tc@d|Tg@h|Tx@y||", "one more recipient");
	try_envelope("\"milter\":{\"del_rcpt\":[\"C@d\",\"q@q\"]}",
		     "Fa@b|Tg@h||", "one fewer");
	try_envelope("\"milter\":{\"del_rcpt\":[\"c@d\",\"g@h\"]}", "Fa@b||",
		     "none left");
	return done_testing();
}

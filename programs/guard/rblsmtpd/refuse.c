/* SPDX-License-Identifier: ISC */
#include "refuse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/refusal.h"

enum { GREETING_ROOM = 256 };

struct log {
	const struct client *client;
	unsigned long lines;
};

void refuse_reply(char reply[REFUSE_REPLY], bool permanent, const char *text)
{
	snprintf(reply, REFUSE_REPLY, "%s %s", permanent ? "553" : "451", text);
}

static void log_envelope(void *context, enum refusal_event event,
			 const char *line)
{
	struct log *log = context;
	size_t word = strcspn(line, " ");

	if (event != REFUSAL_HEARD || (!parse_same_word(line, word, "MAIL") &&
				       !parse_same_word(line, word, "RCPT")))
		return;
	if (log->lines++ < REFUSAL_LOGGED) client_log(log->client, "%s", line);
}

static void log_end(const struct log *log, enum refusal_end end)
{
	static const char *const ends[] = {
		[REFUSAL_QUIT] = "the client quit",
		[REFUSAL_CLOSED] = "the client disconnected",
		[REFUSAL_TIMEOUT] = "timed out",
		[REFUSAL_TOO_MANY_RECIPIENTS] = "too many recipients",
		[REFUSAL_TOLD] = "told",
	};

	if (log->lines > REFUSAL_LOGGED)
		client_log(log->client, "%lu more such lines",
			   log->lines - REFUSAL_LOGGED);
	client_log(log->client, "session ended: %s", ends[end]);
}

void refuse_client(const struct settings *settings, const struct client *client,
		   const char *reply)
{
	struct log log = { .client = client };
	char greeting[GREETING_ROOM];
	struct refusal refusal = {
		.greeting = printable_text(greeting, sizeof greeting,
					   settings->greeting),
		.text = reply,
		.seconds = settings->conversation_seconds,
		.noop_is_welcome = true,
	};
	bool is_logged = settings->log_conversation && refusal.seconds > 0;
	enum refusal_end end;

	client_log(client, "%s", reply);
	if (is_logged) {
		refusal.callback = log_envelope;
		refusal.context = &log;
	}
	end = refusal_hold(&refusal, STDIN_FILENO, STDOUT_FILENO);
	if (is_logged) log_end(&log, end);
	exit(EXIT_DONE);
}

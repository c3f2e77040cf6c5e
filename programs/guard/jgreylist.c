/* jgreylist: runs the next program for a client whose network has been here
   before, and tells one that has not to come again in a while: who only sends
   junk mostly does not. It decides before the greeting, by the address alone,
   and has read nothing of what the client sends when it execs.

   All settings are $JGREYLIST and $JGREYLIST_* (jgreylist(8)); of the connection
   it takes $TCPREMOTEIP, $TCPREMOTEHOST and $RELAYCLIENT. The store is a folder
   tree (mail/greylist_tree.h), or Redis with such a tree for when that is away.
   A surprise: a store that does not work lets everybody in, since greylisting
   is not worth a lost message; a tree that is wrongly set up ends the program
   with 111, so that somebody notices.

   SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"
#include "mail/greylist.h"
#include "mail/greylist_redis.h"
#include "mail/greylist_tree.h"
#include "mail/refusal.h"
#include "system/clock.h"
#include "system/process.h"

enum {
	TALK_SECONDS = 60, /* for the whole refusal conversation */
	LEAST_TALK_SECONDS = 5,
	MOST_TALK_SECONDS = 300,
	REPLY_ROOM = 500, /* RFC 5321 section 4.5.3.1.5, less the CRLF */
	BANNER_ROOM = 200,
};

/* Replies, and what goes before the operator's texts. */
static const char default_banner[] = "jgreylist v8";
static const char reply_first[] = "450 GREYLIST Try again later.";
static const char reply_too_soon[] = "450 GREYLIST I said to try later.";
static const char reply_denied[] = "553 DENIED ";
static const char reply_too_many[] = "421 Too many RCPT commands, goodbye.";
static const char reply_timeout[] = "421 timeout";

/* What is done with the client: `log` and perhaps a cause go to the log; it is
   let in when there is no reply. */
struct verdict {
	const char *log;
	const char *cause; /* of a failure; NULL: there was none */
	const char *reply;
	const char *text; /* the operator's, behind the reply; or NULL */
};

struct client {
	const char *remote_ip;
	char ip[64]; /* the same, printable */
};

static bool log_is_on(const char *name, long otherwise)
{
	return greylist_number(name, otherwise) != 0;
}

/* The name that all lines begin with. */
static void name_log(void)
{
	static char name[sizeof "jgreylist[-9223372036854775808]"];

	program_name = "jgreylist";
	if (!log_is_on("JGREYLIST_LOG_PID", 1)) return;
	snprintf(name, sizeof name, "jgreylist[%ld]", (long)getpid());
	program_name = name;
}

static struct client read_client(void)
{
	const char *ip = getenv("TCPREMOTEIP");
	struct client client = { .remote_ip = ip };

	if (!ip || !*ip) die_permanent("TCPREMOTEIP is empty or missing");
	printable_text(client.ip, sizeof client.ip, ip);
	return client;
}

static void log_verdict(const struct client *client,
			const struct verdict *verdict)
{
	if (verdict->cause)
		note("%s: %s: %s", client->ip, verdict->log, verdict->cause);
	else if (log_is_on("JGREYLIST_LOG", 1))
		note("%s: %s", client->ip, verdict->log);
}

static struct verdict verdict_of_rule(enum greylist_rule rule)
{
	struct verdict verdict = { .log = greylist_rule_text(rule) };

	if (rule == GREYLIST_BLACKLISTED) verdict.text = getenv("JGREYLIST");
	if (rule == GREYLIST_NO_REVERSE_NAME)
		verdict.text = getenv("JGREYLIST_NOREV");
	if (verdict.text) verdict.reply = reply_denied;
	return verdict;
}

static struct verdict verdict_of_state(enum greylist_state state,
				       const char *cause)
{
	struct verdict verdict = { .log = greylist_state_text(state) };

	if (state == GREYLIST_FIRST) verdict.reply = reply_first;
	if (state == GREYLIST_TOO_SOON) verdict.reply = reply_too_soon;
	if (state != GREYLIST_FAILED) return verdict;
	verdict.cause = cause;
	if (greylist_fails_closed()) verdict.reply = reply_first;
	return verdict;
}

static void warn_of_unnoted(const struct client *client, const char *cause)
{
	warn("%s: unable to note the contact: %s", client->ip, cause);
}

static enum greylist_state ask_tree(const struct client *client,
				    const char *folder,
				    const struct greylist_contact *contact,
				    const char **cause)
{
	enum greylist_state state =
		greylist_tree_contact(folder, contact, cause);
	const char *complaint = state == GREYLIST_FAILED
					? greylist_tree_complaint(folder)
					: NULL;

	if (complaint) die_temporary("%s %s", folder, complaint);
	if (state != GREYLIST_FAILED && *cause) warn_of_unnoted(client, *cause);
	return state;
}

static enum greylist_state ask_redis(const struct client *client,
				     const struct greylist_contact *contact)
{
	struct greylist_redis redis;
	enum greylist_state state;
	const char *cause;

	if (!greylist_redis_from_environment(&redis)) return GREYLIST_FAILED;
	state = greylist_redis_contact(&redis, contact, &cause);
	if (state == GREYLIST_FAILED) note("%s: redis: %s", client->ip, cause);
	else if (cause) warn_of_unnoted(client, cause);
	return state;
}

static struct verdict ask_stores(const struct client *client)
{
	struct greylist_settings settings =
		greylist_settings_from_environment();
	struct greylist_contact contact = {
		.hold_seconds = settings.hold_seconds,
		.now = clock_seconds(),
	};
	bool has_redis = greylist_text("JGREYLIST_REDIS");
	enum greylist_state state = GREYLIST_FAILED;
	const char *cause = "there is no JGREYLIST_DIR";

	if (!settings.folder && !has_redis)
		die_temporary("JGREYLIST_DIR is not set");
	if (greylist_key_of_client(client->remote_ip, settings.unit,
				   &contact.key) < 0)
		die_permanent("TCPREMOTEIP is no IP address: %s", client->ip);
	if (has_redis) state = ask_redis(client, &contact);
	if (state == GREYLIST_FAILED && settings.folder)
		state = ask_tree(client, settings.folder, &contact, &cause);
	return verdict_of_state(state, cause);
}

static struct verdict decide(const struct client *client)
{
	enum greylist_rule rule = greylist_rule_from_environment();

	if (rule == GREYLIST_STORE) return ask_stores(client);
	return verdict_of_rule(rule);
}

/* The reply with the client's address for the text's first '%'; any other one
   stays. */
static void make_reply(char room[REPLY_ROOM], const struct verdict *verdict,
		       const char *ip)
{
	const char *text = verdict->text ? verdict->text : "";
	size_t length = strcspn(text, "%");
	struct str reply = { 0 };

	str_append_text(&reply, verdict->reply);
	str_append(&reply, text, length);
	if (text[length]) {
		str_append_text(&reply, ip);
		str_append_text(&reply, text + length + 1);
	}
	printable_text(room, REPLY_ROOM, reply.data);
	str_free(&reply);
}

struct talk_log {
	const struct client *client;
	bool has_lines; /* not only what is always logged */
	unsigned long lines;
};

static void log_talk(void *context, enum refusal_event event, const char *line)
{
	struct talk_log *log = context;

	if (event == REFUSAL_HANGUP)
		note("%s: HANGUP too many RCPT commands", log->client->ip);
	else if (log->has_lines && log->lines++ < REFUSAL_LOGGED)
		note("%s %s", event == REFUSAL_SAID ? ">>>" : "<<<", line);
}

static void log_what_is_left(const struct talk_log *log)
{
	if (log->lines > REFUSAL_LOGGED)
		note("%s: %lu more such lines", log->client->ip,
		     log->lines - REFUSAL_LOGGED);
}

static unsigned long talk_seconds(void)
{
	long seconds = greylist_number("JGREYLIST_TIMEOUT", TALK_SECONDS);

	if (seconds < LEAST_TALK_SECONDS) return LEAST_TALK_SECONDS;
	if (seconds > MOST_TALK_SECONDS) return MOST_TALK_SECONDS;
	return (unsigned long)seconds;
}

static _Noreturn void refuse(const struct client *client,
			     const struct verdict *verdict)
{
	const char *banner = greylist_text("JGREYLIST_BANNER");
	long recipients = greylist_number("JGREYLIST_LIMIT", 0);
	char reply[REPLY_ROOM], greeting[BANNER_ROOM];
	struct talk_log log = { .client = client,
				.has_lines =
					log_is_on("JGREYLIST_LOG_SMTP", 0) };
	struct refusal refusal = {
		.greeting = greeting,
		.text = reply,
		.seconds = talk_seconds(),
		.last_word = reply_timeout,
		/* Less than none is used up at once, as ever. */
		.recipients = recipients < 0 ? 1 : (unsigned long)recipients,
		.too_many = reply_too_many,
		.callback = log_talk,
		.context = &log,
	};

	printable_text(greeting, sizeof greeting,
		       banner ? banner : default_banner);
	make_reply(reply, verdict, client->ip);
	refusal_hold(&refusal, STDIN_FILENO, STDOUT_FILENO);
	log_what_is_left(&log);
	exit(EXIT_DONE);
}

int main(int argc, char **argv)
{
	struct client client;
	struct verdict verdict;

	name_log();
	if (argc < 2) die_permanent("no command specified on command line");
	client = read_client();
	verdict = decide(&client);
	log_verdict(&client, &verdict);
	if (verdict.reply) refuse(&client, &verdict);
	process_run_next(argv + 1);
}

/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include <errno.h>
#include <stdlib.h>

#include "base/parse.h"
#include "mail/control.h"

enum {
	TIMEOUT = 1200,
	/* A client waits 600 seconds behind the final dot (RFC 5321 section
	   4.5.3.2.6): it is to hear of a program that hangs before that. */
	QUEUE_TIMEOUT = 540,
};

/* Absolute: without the home, the current folder can be anybody's. */
static char usual_queue_program[] = CHAINMAIL_HOME "/bin/qmail-queue";

static int read_names(struct settings *settings, const char **what)
{
	struct str me = { 0 };
	enum control_answer answer;

	if (control_read_line(*what = "me", &me) == CONTROL_FAILED) return -1;
	answer = control_read_line(*what = "smtpgreeting", &settings->greeting);
	if (answer == CONTROL_FAILED) return -1;
	if (settings->greeting.length == 0) {
		settings->greeting = me;
		*what = "me";
		errno = 0;
		if (me.length == 0) return -1;
	}
	answer = control_read_line(*what = "localiphost",
				   &settings->literal_host);
	if (answer == CONTROL_FAILED) return -1;
	if (answer == CONTROL_ABSENT) settings->literal_host = me;
	return 0;
}

static int read_limits(struct settings *settings, const char **what)
{
	settings->timeout = TIMEOUT;
	*what = "timeoutsmtpd";
	if (control_read_number(*what, &settings->timeout) == CONTROL_FAILED)
		return -1;
	if (settings->timeout == 0) settings->timeout = 1;
	*what = "databytes";
	if (control_read_number(*what, &settings->databytes) == CONTROL_FAILED)
		return -1;
	parse_leading_number(getenv("DATABYTES"), &settings->databytes);
	return 0;
}

static int read_more_recipient_hosts(struct settings *settings)
{
	struct str path = { 0 };
	int result;

	control_path(&path, "morercpthosts.cdb");
	result = table_open(&settings->more_recipient_hosts, path.data);
	str_free(&path);
	return result < 0 && errno != ENOENT ? -1 : 0;
}

/* Without a list qmail relays for everybody; here that takes a word. */
static int read_recipient_hosts(struct settings *settings, const char **what)
{
	*what = "rcpthosts";
	switch (control_read_list(*what, &settings->recipient_hosts)) {
	case CONTROL_FAILED: return -1;
	case CONTROL_ABSENT:
		settings->relaying = parse_flag(getenv("SMTPD_OPEN_RELAY"))
					     ? RELAY_EVERYTHING
					     : RELAY_NOTHING;
		return 0;
	case CONTROL_FOUND:
	default:
		settings->relaying = RELAY_LISTED;
		*what = "morercpthosts.cdb";
		return read_more_recipient_hosts(settings);
	}
}

static int read_error_fd(const char *text)
{
	unsigned long number = 0;

	if (!text || !*text) return QUEUE_ERROR_FD_USUAL;
	if (*text == '-') return QUEUE_ERROR_FD_NONE;
	/* 0 and 1 carry the message and the envelope. */
	if (parse_number(text, 2, 255, &number) < 0)
		return QUEUE_ERROR_FD_USUAL;
	return (int)number;
}

static void read_queue(struct queue_client_settings *queue)
{
	queue->program = getenv("QMAILQUEUE");
	if (!queue->program || !*queue->program)
		queue->program = usual_queue_program;
	queue->error_fd = read_error_fd(getenv("ERROR_FD"));
	queue->seconds = QUEUE_TIMEOUT;
	parse_leading_number(getenv("SMTPD_QUEUE_TIMEOUT"), &queue->seconds);
	if (queue->seconds == 0) queue->seconds = QUEUE_TIMEOUT;
	queue->may_discard = parse_flag(getenv("SMTPD_QUEUE_DISCARD"));
}

int settings_read(struct settings *settings, const char *relay_suffix,
		  const char **what)
{
	if (read_names(settings, what) < 0) return -1;
	if (read_limits(settings, what) < 0) return -1;
	*what = "badmailfrom";
	if (control_read_list(*what, &settings->bad_senders) == CONTROL_FAILED)
		return -1;
	if (read_recipient_hosts(settings, what) < 0) return -1;
	if (relay_suffix) settings->relaying = RELAY_THIS_CLIENT;
	settings->relay_suffix = relay_suffix;
	read_queue(&settings->queue);
	return 0;
}

/* queue-tee: gives a copy of each message to another program of the queue's
   interface, and then hands it on to the next stage: an archive, a second queue, a
   filter that is tried without consequences. The copy comes first: when it fails,
   so does the message, before anybody has it, and the client tries again; -i is for
   copies that matter less.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/envelope.h"
#include "mail/stage.h"
#include "mail/stage_child.h"
#include "system/deadline.h"

enum {
	SECONDS = 300,
	SECONDS_LIMIT = 86400,
	MOST_DESCRIPTORS = 2 + STAGE_CHILD_TEXTS,
};

static const char synopsis[] =
	"queue-tee [ -i ] [ -r recipient ] [ -t seconds ]"
	" program [ argument ... ] [ -- next [ argument ... ] ]";

struct settings {
	bool ignores_failure;
	const char *recipient; /* NULL: those of the message */
	unsigned long seconds;
	char **program;
	char **next;
};

/* What the copy's program was given, and what it said. */
struct copy {
	int message;
	int envelope;
	int text;
};

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { .seconds = SECONDS };
	int letter;

	while ((letter = option_next(argc, argv, "ir:t:", synopsis)) != -1) {
		if (letter == 'i') settings.ignores_failure = true;
		if (letter == 'r') settings.recipient = optarg;
		if (letter == 't')
			settings.seconds =
				option_number('t', 1, SECONDS_LIMIT, synopsis);
	}
	settings.program = settings.next = argv + optind;
	if (settings.recipient &&
	    strlen(settings.recipient) >= ENVELOPE_ADDRESS_LIMIT)
		die_usage(synopsis);
	while (*settings.next && strcmp(*settings.next, "--") != 0)
		settings.next++;
	if (settings.next == settings.program) die_usage(synopsis);
	if (*settings.next) *settings.next++ = NULL;
	return settings;
}

/* In a file: nobody reads a pipe while the program runs. */
static int envelope_file(const struct stage *stage, const char *recipient)
{
	const struct str *bytes = &stage->envelope_bytes;
	struct str other = { 0 };
	int fd;

	if (recipient) {
		envelope_start(&other, stage->envelope.sender);
		envelope_add(&other, recipient);
		envelope_end(&other);
		bytes = &other;
	}
	fd = stage_file_with(bytes->data, bytes->length);
	str_free(&other);
	return stage_child_out_of_way(fd);
}

static int make_copy(struct copy *copy, const struct stage *stage,
		     const char *recipient)
{
	copy->message = stage_child_message(&stage->message, false);
	if (copy->message < 0) return -1;
	copy->envelope = envelope_file(stage, recipient);
	if (copy->envelope < 0) return -1;
	copy->text = stage_child_out_of_way(stage_file(0));
	return copy->text < 0 ? -1 : 0;
}

/* Nothing that it says reaches the caller as it is: after an exit of 0 it would
   stand there before what the next stage says. */
static size_t set_descriptors(struct stage_descriptor *descriptors,
			      const struct copy *copy)
{
	descriptors[0] = (struct stage_descriptor){ 0, copy->message };
	descriptors[1] = (struct stage_descriptor){ 1, copy->envelope };
	return stage_child_give_texts(descriptors, 2, copy->text);
}

static enum queue_exit_code code_of(struct stage_child_end end)
{
	switch (end.ending) {
	case STAGE_CHILD_EXITED: return (enum queue_exit_code)end.number;
	case STAGE_CHILD_CRASHED: return QUEUE_CRASHED;
	case STAGE_CHILD_LATE: break;
	}
	return QUEUE_TIMED_OUT;
}

/* The program's exit code, and in `text` what it says. */
static enum queue_exit_code run(const struct stage *stage,
				const struct settings *settings, char *text,
				size_t size)
{
	struct stage_descriptor descriptors[MOST_DESCRIPTORS];
	struct copy copy;
	enum queue_exit_code code;
	char shown[256];
	ssize_t length;
	pid_t child;

	if (make_copy(&copy, stage, settings->recipient) < 0) {
		warn("cannot copy the message:");
		return QUEUE_CANNOT_WRITE;
	}
	child = stage_child_start(settings->program, environ, descriptors,
				  set_descriptors(descriptors, &copy));
	if (child < 0) {
		warn("unable to run %s: %s",
		     printable_text(shown, sizeof shown, *settings->program),
		     error_text(errno));
		return QUEUE_CANNOT_EXEC;
	}
	code = code_of(stage_child_wait(child, deadline_in(settings->seconds)));
	length = pread(copy.text, text, size - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	close(copy.message);
	close(copy.envelope);
	close(copy.text);
	return code;
}

static void log_failure(const struct stage *stage, enum queue_exit_code code,
			const char *text)
{
	struct str reason = { 0 };
	char shown[STAGE_TEXT_LIMIT + 1];

	str_append_text(&reason, "exit code ");
	str_append_number(&reason, (unsigned long)code);
	if (*text) {
		str_append_text(&reason, ": ");
		str_append_text(&reason,
				printable_text(shown, sizeof shown, text));
	}
	stage_log(stage, "no copy", reason.data);
	str_free(&reason);
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct stage stage = { 0 };
	char text[STAGE_TEXT_LIMIT + 1] = "";
	enum queue_exit_code code;

	program_name = "queue-tee";
	settings = read_settings(argc, argv);
	stage_start();
	code = stage_take(&stage);
	if (code != QUEUE_DONE) return (int)code;
	code = run(&stage, &settings, text, sizeof text);
	if (code != QUEUE_DONE) log_failure(&stage, code, text);
	if (code == QUEUE_DONE || settings.ignores_failure)
		return (int)stage_exec_next(&stage, settings.next);
	if ((code == QUEUE_CUSTOM_TEXT || code == QUEUE_CUSTOM_TEXT_OTHER) &&
	    strlen(text) > 2)
		return (int)stage_refuse(text);
	return (int)code;
}

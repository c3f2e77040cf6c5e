/* SPDX-License-Identifier: ISC */
#include "run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/stage_child.h"
#include "system/file.h"
#include "system/process.h"

/* Where filters find things. */
enum {
	MESSAGE_IN = 0,
	MESSAGE_OUT = 1,
	LOG = 2,
	ENVELOPE_IN = 3,
	ENVELOPE_OUT = 4,
	QUEUE_NAME = 5,
	DESCRIPTORS = 6,
};

enum { OF_ANY_LENGTH = INT_MAX };

/* ---- variables ---- */

static void set_number(const char *name, size_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%zu", number);
	process_set(name, text);
}

static void set_sender(const char *sender)
{
	const char *domain = address_domain(sender);
	struct str user = { 0 };

	str_append(&user, sender,
		   domain ? (size_t)(domain - 1 - sender) : strlen(sender));
	process_set("QMAILUSER", user.length ? user.data : "");
	process_set("QMAILHOST", domain ? domain : "");
	process_set("QMAILNAME", NULL);
	str_free(&user);
}

static void set_recipients(const struct envelope *envelope)
{
	const char *recipient = NULL;
	struct str all = { 0 };

	str_reserve(&all, 0);
	while ((recipient = envelope_next(envelope, recipient))) {
		str_append_text(&all, recipient);
		str_append_byte(&all, '\n');
	}
	process_set("QMAILRCPTS", all.data);
	set_number("NUMRCPTS", envelope->recipient_count);
	str_free(&all);
}

void run_describe(const struct run *run)
{
	const struct stage *stage = &run->stage;

	set_number("QMAILPPID", (size_t)getppid());
	set_sender(stage->envelope.sender);
	set_recipients(&stage->envelope);
	set_number("ENVSIZE", stage->envelope_bytes.length);
	set_number("MSGSIZE", stage->message.size);
}

/* ---- files ---- */

static int empty_file(int *fd, size_t expected)
{
	if (*fd < 0) *fd = stage_child_out_of_way(stage_file(expected));
	return *fd < 0 || lseek(*fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

static int envelope_file(int *fd, const struct str *bytes)
{
	if (*fd >= 0) return lseek(*fd, 0, SEEK_SET) < 0 ? -1 : 0;
	*fd = stage_child_out_of_way(
		stage_file_with(bytes->data, bytes->length));
	return *fd < 0 ? -1 : 0;
}

static int message_file(int *fd, const struct stage_message *message)
{
	if (*fd < 0) *fd = stage_child_message(message, true);
	return *fd < 0 || lseek(*fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

static int prepare(struct run *run)
{
	if (message_file(&run->message, &run->stage.message) < 0 ||
	    envelope_file(&run->envelope, &run->stage.envelope_bytes) < 0 ||
	    empty_file(&run->message_out, OF_ANY_LENGTH) < 0 ||
	    empty_file(&run->envelope_out, 0) < 0 ||
	    empty_file(&run->queue_name, 0) < 0)
		return -1;
	if (!run->dialect->reads_text_from_log) return 0;
	file_close(run->log);
	run->log = -1;
	return empty_file(&run->log, 0);
}

/* The bytes that the filter has written, or 0. */
static size_t size_of(int fd)
{
	struct stat file;

	return fstat(fd, &file) < 0 || file.st_size < 0 ? 0
							: (size_t)file.st_size;
}

static void drop(int *fd)
{
	file_close(*fd);
	*fd = -1;
}

/* ---- what has become of it ---- */

static void take_message(struct run *run)
{
	struct stage_message *message = &run->stage.message;
	size_t size = size_of(run->message_out);

	if (size == 0) return;
	if (!message->bytes && message->fd > STDIN_FILENO) close(message->fd);
	*message =
		(struct stage_message){ .size = size, .fd = run->message_out };
	run->message_out = -1;
	drop(&run->message);
	set_number("MSGSIZE", size);
}

static int bad_envelope(const struct run *run, const char *what)
{
	stage_log(&run->stage, "failed", what);
	return (int)run->dialect->bad_envelope;
}

static int take_envelope(struct run *run)
{
	struct str bytes = { 0 };
	struct envelope envelope;

	if (size_of(run->envelope_out) == 0) return QUEUE_DONE;
	if (lseek(run->envelope_out, 0, SEEK_SET) < 0 ||
	    file_read_rest(run->envelope_out, &bytes, ENVELOPE_LIMIT) < 0) {
		warn("cannot read a filter's envelope:");
		return errno == EFBIG ? QUEUE_CANNOT_WRITE : QUEUE_CANNOT_READ;
	}
	switch (envelope_parse(bytes.data, bytes.length, &envelope)) {
	case ENVELOPE_WHOLE: break;
	case ENVELOPE_TOO_LONG:
		stage_log(&run->stage, "failed",
			  "an address from a filter is too long");
		return QUEUE_ADDRESS_TOO_LONG;
	case ENVELOPE_CUT:
	case ENVELOPE_BAD:
		return bad_envelope(run, "a filter's envelope is none");
	}
	stage_set_envelope(&run->stage, &bytes);
	str_free(&bytes);
	drop(&run->envelope);
	drop(&run->envelope_out);
	run_describe(run);
	return QUEUE_DONE;
}

static void copy_to_log(int fd)
{
	char bytes[4096];
	ssize_t length;
	off_t at = 0;

	while ((length = pread(fd, bytes, sizeof bytes, at)) > 0) {
		at += length;
		if (file_write(LOG, bytes, (size_t)length) < 0) return;
	}
}

/* A text for the client, in the room of STAGE_TEXT_LIMIT + 1 bytes. */
static bool read_text(int fd, char *text)
{
	ssize_t length = pread(fd, text, STAGE_TEXT_LIMIT, 0);

	text[length > 0 ? length : 0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	return (*text == 'D' || *text == 'Z') && strlen(text) > 2;
}

/* As far as the code says: a text on descriptor 6 may say otherwise. */
static bool is_to_come_again(int code)
{
	return (code < QUEUE_FIRST_PERMANENT || code > QUEUE_LAST_PERMANENT) &&
	       code != QUEUE_CUSTOM_TEXT && code != QUEUE_CUSTOM_TEXT_OTHER;
}

/* The filter may have written it to descriptor 6 itself, as we do; but for older
   families it belongs on 4, which is the envelope's here, and in the younger
   dialect on 2. */
static int refuse(const struct run *run, int code, const char *reason)
{
	char text[STAGE_TEXT_LIMIT + 1];

	if ((code == QUEUE_CUSTOM_TEXT || code == QUEUE_CUSTOM_TEXT_OTHER) &&
	    (read_text(run->envelope_out, text) ||
	     (run->dialect->reads_text_from_log && read_text(run->log, text))))
		code = (int)stage_refuse(text);
	stage_log(&run->stage, is_to_come_again(code) ? "deferred" : "refused",
		  reason);
	return code;
}

static int judge(struct run *run, const char *filter,
		 struct stage_child_end end)
{
	char reason[320], name[256];
	int code = QUEUE_CRASHED;

	printable_text(name, sizeof name, filter);
	switch (end.ending) {
	case STAGE_CHILD_EXITED:
		code = dialect_code(run->dialect, end.number);
		snprintf(reason, sizeof reason, "%s: exit code %d", name,
			 end.number);
		break;
	case STAGE_CHILD_CRASHED:
		snprintf(reason, sizeof reason, "%s: killed by signal %d", name,
			 end.number);
		break;
	case STAGE_CHILD_LATE:
		code = QUEUE_TIMED_OUT;
		snprintf(reason, sizeof reason, "%s: it took too long", name);
		break;
	}
	if (code == FILTER_DISCARDS)
		stage_log(&run->stage, "discarded", reason);
	else if (code != QUEUE_DONE) return refuse(run, code, reason);
	return code;
}

int run_filter(struct run *run, char *const *argv, char *const *environment)
{
	struct stage_descriptor descriptors[DESCRIPTORS];
	char shown[256];
	pid_t child;
	int code;

	if (prepare(run) < 0) {
		warn("cannot make files for a filter:");
		return QUEUE_CANNOT_WRITE;
	}
	descriptors[0] = (struct stage_descriptor){ MESSAGE_IN, run->message };
	descriptors[1] =
		(struct stage_descriptor){ MESSAGE_OUT, run->message_out };
	descriptors[2] = (struct stage_descriptor){
		LOG, run->dialect->reads_text_from_log ? run->log : LOG
	};
	descriptors[3] =
		(struct stage_descriptor){ ENVELOPE_IN, run->envelope };
	descriptors[4] =
		(struct stage_descriptor){ ENVELOPE_OUT, run->envelope_out };
	descriptors[5] =
		(struct stage_descriptor){ QUEUE_NAME, run->queue_name };
	child = stage_child_start(argv, environment, descriptors, DESCRIPTORS);
	if (child < 0) {
		warn("unable to run %s: %s",
		     printable_text(shown, sizeof shown, argv[0]),
		     error_text(errno));
		return QUEUE_CRASHED;
	}
	code = judge(run, argv[0], stage_child_wait(child, run->end));
	if (run->dialect->reads_text_from_log) copy_to_log(run->log);
	if (code != QUEUE_DONE) return code;
	take_message(run);
	return take_envelope(run);
}

bool run_queue_name(const struct run *run, struct str *path)
{
	ssize_t length;

	if (run->queue_name < 0) return false;
	str_reserve(path, PATH_MAX);
	length = pread(run->queue_name, path->data, PATH_MAX - 1, 0);
	path->data[length > 0 ? length : 0] = '\0';
	return *path->data;
}

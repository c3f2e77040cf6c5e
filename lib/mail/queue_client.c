/* SPDX-License-Identifier: ISC */
#include "mail/queue_client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "system/deadline.h"
#include "system/process.h"

enum {
	WITHOUT_READER_SECONDS = 1,
	/* A killed process is gone in no time, unless its disk hangs. */
	KILLED_SECONDS = 5,
	DISCARDED = 1,
	NO_EXIT_CODE = -1,
};

static const char too_long[] = "envelope address too long for qq (#5.1.3)";
static const char no_key[] = "Private key file does not exist (#5.3.5)";
static const char no_files[] = "qq trouble creating files in queue (#4.3.0)";
static const char bug[] = "qq internal bug (#4.3.0)";
static const char any_permanent[] = "qq permanent problem (#5.3.0)";
static const char any_temporary[] = "qq temporary problem (#4.3.0)";
static const char crashed[] = "qq crashed (#4.3.0)";
static const char cannot_wait[] = "qq waitpid surprise (#4.3.0)";

/* qmail-queue(8), and the codes that other families have added. */
static const struct {
	int code;
	enum queue_verdict verdict;
	const char *text;
} exit_codes[] = {
	{ QUEUE_ADDRESS_TOO_LONG, QUEUE_REFUSES, too_long },
	{ QUEUE_REFUSED, QUEUE_REFUSES,
	  "mail server permanently rejected message (#5.3.0)" },
	{ 32, QUEUE_REFUSES, no_key },
	{ 33, QUEUE_REFUSES, "Message contains virus (#5.7.1)" },
	{ 34, QUEUE_REFUSES, "Message contains banned attachment (#5.7.1)" },
	{ 35, QUEUE_REFUSES, no_key },
	{ QUEUE_OUT_OF_MEMORY, QUEUE_DEFERS, "qq out of memory (#4.3.0)" },
	{ QUEUE_TIMED_OUT, QUEUE_DEFERS, "qq timeout (#4.3.0)" },
	{ QUEUE_CANNOT_WRITE, QUEUE_DEFERS,
	  "qq write error or disk full (#4.3.0)" },
	{ QUEUE_CANNOT_READ, QUEUE_DEFERS, "qq read error (#4.3.0)" },
	{ QUEUE_CANNOT_READ_SETTINGS, QUEUE_DEFERS,
	  "qq unable to read configuration (#4.3.0)" },
	{ 56, QUEUE_DEFERS, "qq trouble making network connection (#4.3.0)" },
	{ QUEUE_NO_HOME, QUEUE_DEFERS,
	  "qq trouble in home directory (#4.3.0)" },
	{ QUEUE_NO_QUEUE, QUEUE_DEFERS, no_files },
	{ QUEUE_CANNOT_BEGIN, QUEUE_DEFERS, no_files },
	{ QUEUE_CANNOT_CREATE, QUEUE_DEFERS, no_files },
	{ QUEUE_CANNOT_CREATE_INTD, QUEUE_DEFERS, no_files },
	{ QUEUE_CANNOT_NAME_TODO, QUEUE_DEFERS, no_files },
	{ QUEUE_TRY_AGAIN, QUEUE_DEFERS,
	  "mail server temporarily rejected message (#4.3.0)" },
	{ QUEUE_CONNECTION_TIMED_OUT, QUEUE_DEFERS,
	  "connection to mail server timed out (#4.4.1)" },
	{ QUEUE_CONNECTION_REFUSED, QUEUE_DEFERS,
	  "connection to mail server rejected (#4.4.1)" },
	{ QUEUE_CONNECTION_LOST, QUEUE_DEFERS,
	  "communication with mail server failed (#4.4.2)" },
	{ QUEUE_CRASHED, QUEUE_DEFERS, bug },
	{ QUEUE_BAD_ENVELOPE, QUEUE_DEFERS, bug },
	{ 115, QUEUE_REFUSES, too_long },
	{ QUEUE_CANNOT_EXEC, QUEUE_DEFERS, "unable to exec qq (#4.3.0)" },
};

struct ends {
	int read;
	int write;
};

static int open_pipe(struct ends *ends)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) return -1;
	*ends = (struct ends){ .read = fds[0], .write = fds[1] };
	return 0;
}

static void close_pipe(const struct ends *ends)
{
	int cause = errno;

	close(ends->read);
	close(ends->write);
	errno = cause;
}

static int open_pipes(struct ends *message, struct ends *envelope,
		      struct ends *error_text)
{
	if (open_pipe(message) < 0) return -1;
	if (open_pipe(envelope) == 0) {
		if (open_pipe(error_text) == 0) return 0;
		close_pipe(envelope);
	}
	close_pipe(message);
	return -1;
}

/* As dup2, with no close-on-exec also when they are the same. */
static int put_at(int fd, int number)
{
	return fd == number ? fcntl(fd, F_SETFD, 0) : dup2(fd, number);
}

/* In the child, which shares our memory until it execs. Descriptors 0 and 1
   come first: the pipes' own numbers may be 4 and 6. */
static int arrange(int message, int envelope, int error_text, int error_fd)
{
	if (put_at(message, 0) < 0 || put_at(envelope, 1) < 0) return -1;
	switch (error_fd) {
	case QUEUE_ERROR_FD_NONE: return 0;
	case QUEUE_ERROR_FD_USUAL:
		return put_at(error_text, 4) < 0 ? -1 : put_at(error_text, 6);
	default: return put_at(error_text, error_fd);
	}
}

int queue_client_start(struct queue_client *queue,
		       const struct queue_client_settings *settings)
{
	struct ends message, envelope, error_text;
	char *const arguments[] = { settings->program, NULL };
	volatile int exec_error = 0;
	pid_t pid;
	int cause;

	if (open_pipes(&message, &envelope, &error_text) < 0) return -1;
	pid = vfork();
	if (pid == 0) {
		if (arrange(message.read, envelope.read, error_text.write,
			    settings->error_fd) >= 0)
			execve(settings->program, arguments, environ);
		exec_error = errno;
		_exit(QUEUE_CANNOT_EXEC);
	}
	cause = errno;
	close(message.read);
	close(envelope.read);
	close(error_text.write);
	queue->settings = settings;
	queue->pid = pid;
	queue->exec_error = exec_error;
	queue->envelope = envelope.write;
	queue->error_text = error_text.read;
	queue->written = 0;
	queue->failure = 0;
	queue->closed = false;
	queue->message = (struct stream_out){
		.fd = message.write,
		.seconds = settings->seconds,
		.kind = STREAM_NONBLOCKING,
		.data = queue->buffer,
		.size = sizeof queue->buffer,
	};
	if (pid > 0) return 0;
	queue_client_abandon(queue);
	close(queue->error_text);
	errno = cause;
	return -1;
}

/* A new pipe takes PIPE_BUF bytes without blocking; most envelopes, and many
   messages, need no more, and spare this call. */
static void prepare_write(int fd, size_t before, size_t more)
{
	if (before <= PIPE_BUF && before + more > PIPE_BUF)
		fcntl(fd, F_SETFL, O_NONBLOCK);
}

void queue_client_write(struct queue_client *queue, const void *bytes,
			size_t length)
{
	if (queue->failure) return;
	prepare_write(queue->message.fd, queue->written, length);
	queue->written += length;
	if (stream_put(&queue->message, bytes, length) < 0)
		queue->failure = errno;
}

void queue_client_abandon(struct queue_client *queue)
{
	if (queue->closed) return;
	queue->closed = true;
	if (!queue->failure) queue->failure = ECANCELED;
	close(queue->message.fd);
	close(queue->envelope);
}

static void send_envelope(struct queue_client *queue,
			  const struct str *envelope)
{
	struct stream_out out = {
		.fd = queue->envelope,
		.seconds = queue->settings->seconds,
		.kind = STREAM_NONBLOCKING,
	};

	prepare_write(out.fd, 0, envelope->length);
	if (stream_put(&out, envelope->data, envelope->length) < 0)
		queue->failure = errno;
}

/* Message, then envelope, each ended by closing its pipe. After a failure the
   envelope stays away: a program must never queue half a message. */
static void send_rest(struct queue_client *queue, const struct str *envelope)
{
	if (queue->closed) return;
	queue->closed = true;
	if (!queue->failure && stream_flush(&queue->message) < 0)
		queue->failure = errno;
	close(queue->message.fd);
	if (!queue->failure) send_envelope(queue, envelope);
	close(queue->envelope);
}

enum ending { EXITED, TIMED_OUT, LOST };

/* The pipe has room for more error text than is ever wanted, so a program that
   ends within a second needs no reader before that. */
static enum ending await(struct queue_client *queue, deadline end,
			 struct process_output *text, int *status)
{
	deadline look = deadline_in(WITHOUT_READER_SECONDS);

	if (end != DEADLINE_NEVER && end < look) look = end;
	if (process_wait(queue->pid, look, status) == 0) return EXITED;
	if (errno == ETIMEDOUT &&
	    process_wait_reading(queue->pid, queue->error_text, end, text,
				 status) == 0)
		return EXITED;
	return errno == ETIMEDOUT ? TIMED_OUT : LOST;
}

static void set_result(struct queue_result *result, enum queue_verdict verdict,
		       const char *text)
{
	result->verdict = verdict;
	snprintf(result->text, sizeof result->text, "%s", text);
}

static void set_from_code(struct queue_result *result, int code)
{
	size_t rows = sizeof exit_codes / sizeof *exit_codes;

	for (size_t i = 0; i < rows; i++) {
		if (exit_codes[i].code != code) continue;
		set_result(result, exit_codes[i].verdict, exit_codes[i].text);
		return;
	}
	if (code >= QUEUE_FIRST_PERMANENT && code <= QUEUE_LAST_PERMANENT)
		set_result(result, QUEUE_REFUSES, any_permanent);
	else set_result(result, QUEUE_DEFERS, any_temporary);
}

/* The program's own words: a letter for the class, then the text. Line ends
   become blanks and other odd bytes '?', or it could write replies of its own.
   False when there is no text worth a reply. */
static bool set_from_text(struct queue_result *result,
			  const struct process_output *text)
{
	size_t length = 0;

	if (text->length <= 2) return false;
	for (size_t i = 1; i < text->length; i++) {
		char byte = text->bytes[i];

		if (byte == '\r' || byte == '\n' || byte == '\t') byte = ' ';
		if (byte == ' ' && length == 0) continue;
		result->text[length++] = byte >= 32 && byte < 127 ? byte : '?';
	}
	while (length > 0 && result->text[length - 1] == ' ') length--;
	result->text[length] = '\0';
	result->verdict = text->bytes[0] == 'D' ? QUEUE_REFUSES : QUEUE_DEFERS;
	return length > 0;
}

/* What the program has said is read where it counts. */
static struct queue_result judge(const struct queue_client *queue, int status,
				 struct process_output *text)
{
	struct queue_result result = { .exit_code = NO_EXIT_CODE };
	int code;

	if (!WIFEXITED(status)) {
		set_result(&result, QUEUE_DEFERS, crashed);
		return result;
	}
	result.exit_code = code = WEXITSTATUS(status);
	/* It cannot have accepted what it did not read. */
	if (code == QUEUE_DONE && queue->failure) code = QUEUE_CANNOT_READ;
	if (code == QUEUE_DONE ||
	    (code == DISCARDED && queue->settings->may_discard)) {
		result.verdict = QUEUE_ACCEPTS;
		return result;
	}
	if (code == QUEUE_CUSTOM_TEXT || code == QUEUE_CUSTOM_TEXT_OTHER) {
		process_read_what_is_there(queue->error_text, text);
		if (set_from_text(&result, text)) return result;
	}
	set_from_code(&result, code);
	return result;
}

struct queue_result queue_client_finish(struct queue_client *queue,
					const struct str *envelope)
{
	struct queue_result result = { .exit_code = NO_EXIT_CODE };
	char said[QUEUE_TEXT_LIMIT];
	struct process_output text = { .bytes = said, .size = sizeof said };
	enum ending ending = TIMED_OUT;
	/* For all that is left: the client, too, waits from here on. */
	deadline end = deadline_in(queue->settings->seconds);
	int status = 0;

	send_rest(queue, envelope);
	if (queue->failure != ETIMEDOUT)
		ending = await(queue, end, &text, &status);
	if (ending == EXITED) {
		result = judge(queue, status, &text);
	} else if (ending == TIMED_OUT) {
		kill(queue->pid, SIGKILL);
		process_wait(queue->pid, deadline_in(KILLED_SECONDS), &status);
		set_from_code(&result, QUEUE_TIMED_OUT);
	} else {
		set_result(&result, QUEUE_DEFERS, cannot_wait);
	}
	close(queue->error_text);
	return result;
}

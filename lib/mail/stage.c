/* SPDX-License-Identifier: ISC */
#include "mail/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "system/file.h"
#include "system/process.h"

enum {
	LOGGED_ADDRESS = 320,     /* RFC 5321 section 4.5.3.1 allows no more */
	LOGGED_RECIPIENTS = 1000, /* bytes of the log line */
	SHORTEST_TEXT = 3,
};

/* What the next stage is to find again. */
static struct {
	sigset_t mask;
	struct sigaction alarm;
	unsigned alarm_seconds;
	mode_t umask;
} found;

/* No clean-up: after a day, a name may belong to somebody else. */
static void time_out(int signal_number)
{
	(void)signal_number;
	_exit(QUEUE_TIMED_OUT);
}

/* Blocked is as good as ignored here, and one call for all of them. A write
   past RLIMIT_FSIZE, or to nobody, then fails with an errno. */
static const sigset_t *held_signals(void)
{
	static const int held[] = { SIGPIPE, SIGXFSZ, SIGXCPU,   SIGHUP,
				    SIGINT,  SIGQUIT, SIGVTALRM, SIGPROF };
	static sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof held / sizeof *held; i++)
		sigaddset(&set, held[i]);
	return &set;
}

/* Without a log, the first file opened would be taken for one. */
static void have_a_log(void)
{
	int null;

	if (fcntl(STDERR_FILENO, F_GETFD) >= 0) return;
	null = open("/dev/null", O_WRONLY);
	if (null >= 0 && null != STDERR_FILENO) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
}

void stage_start(void)
{
	struct sigaction action = { .sa_handler = time_out };

	str_memory_exit = QUEUE_OUT_OF_MEMORY;
	sigprocmask(SIG_SETMASK, held_signals(), &found.mask);
	sigaction(SIGALRM, &action, &found.alarm);
	found.alarm_seconds = alarm(STAGE_SECONDS);
	found.umask = umask(077);
	have_a_log();
}

void stage_restore_in_child(void)
{
	/* A handler is gone with the exec, by itself. */
	if (found.alarm.sa_handler == SIG_IGN)
		sigaction(SIGALRM, &found.alarm, NULL);
	umask(found.umask);
	sigprocmask(SIG_SETMASK, &found.mask, NULL);
}

/* What was held off has had its effect: it must not reach the next stage. */
static void restore(void)
{
	static const struct timespec now = { 0 };

	while (sigtimedwait(held_signals(), NULL, &now) > 0) continue;
	alarm(found.alarm_seconds);
	stage_restore_in_child();
}

/* Where descriptor 1 is, if it is a file. */
static off_t offset_in_file(int fd)
{
	struct stat file;

	if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode)) return -1;
	return lseek(fd, 0, SEEK_CUR);
}

static enum queue_exit_code parse_envelope(struct stage *stage)
{
	switch (envelope_parse(stage->envelope_bytes.data,
			       stage->envelope_bytes.length,
			       &stage->envelope)) {
	case ENVELOPE_WHOLE: return QUEUE_DONE;
	case ENVELOPE_CUT: return QUEUE_CANNOT_READ;
	case ENVELOPE_TOO_LONG:
		warn("an envelope address is too long");
		return QUEUE_ADDRESS_TOO_LONG;
	case ENVELOPE_BAD: break;
	}
	warn("the envelope is malformed");
	return QUEUE_BAD_ENVELOPE;
}

enum queue_exit_code stage_take(struct stage *stage)
{
	enum queue_exit_code code = stage_message_take(
		&stage->message, stage->message_file, stage->message_room);

	if (code == QUEUE_CANNOT_WRITE) warn("cannot store the message:");
	if (code != QUEUE_DONE) return code;
	stage->envelope_start = offset_in_file(STDOUT_FILENO);
	str_clear(&stage->envelope_bytes);
	if (file_read_rest(STDOUT_FILENO, &stage->envelope_bytes,
			   ENVELOPE_LIMIT) < 0) {
		if (errno != EFBIG) return QUEUE_CANNOT_READ;
		warn("the envelope has more than %d bytes", ENVELOPE_LIMIT);
		return QUEUE_CANNOT_WRITE;
	}
	return parse_envelope(stage);
}

void stage_set_envelope(struct stage *stage, const struct str *envelope)
{
	str_clear(&stage->envelope_bytes);
	str_append(&stage->envelope_bytes, envelope->data, envelope->length);
	stage->envelope_start = -1;
	envelope_parse(stage->envelope_bytes.data, stage->envelope_bytes.length,
		       &stage->envelope);
}

/* A pipe might be too short for it, and nobody reads it yet. */
static int give_envelope(struct stage *stage)
{
	const struct str *bytes = &stage->envelope_bytes;
	off_t start = stage->envelope_start;
	int fd, result;

	if (start >= 0)
		return lseek(STDOUT_FILENO, start, SEEK_SET) < 0 ? -1 : 0;
	fd = stage_file_with(bytes->data, bytes->length);
	if (fd < 0) return -1;
	result = dup2(fd, STDOUT_FILENO);
	file_close(fd);
	if (result < 0) return -1;
	stage->envelope_start = 0;
	return 0;
}

enum queue_exit_code stage_exec(char *const *argv)
{
	struct str path = { 0 };
	char shown[256];
	int cause;

	process_exec(argv, environ, getenv("PATH"));
	cause = errno;
	if ((cause == ENOENT || cause == EACCES) &&
	    process_beside(&path, argv[0]) == 0) {
		execve(path.data, argv, environ);
		if (errno != ENOENT) cause = errno;
	}
	note("fatal: unable to run %s: %s",
	     printable_text(shown, sizeof shown, argv[0]), error_text(cause));
	return QUEUE_CANNOT_EXEC;
}

enum queue_exit_code stage_exec_next(struct stage *stage, char *const *argv)
{
	static char usual[] = "qmail-queue";
	char *alone[] = { usual, NULL };
	struct str path = { 0 };

	if (!argv[0]) {
		argv = alone;
		if (process_beside(&path, usual) == 0) alone[0] = path.data;
	}
	if (stage_message_give(&stage->message) < 0 ||
	    give_envelope(stage) < 0) {
		warn("cannot hand the message on:");
		return QUEUE_CANNOT_WRITE;
	}
	restore();
	return stage_exec(argv);
}

/* A descriptor of the caller's has survived an exec, so it is not close-on-exec
   as every file of our own is: the text never lands in one of those. */
static bool give_text(int fd, const char *text, size_t length)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || (flags & FD_CLOEXEC)) return false;
	return write(fd, text, length) == (ssize_t)length;
}

enum queue_exit_code stage_refuse(const char *text)
{
	const char *asked = getenv("ERROR_FD");
	unsigned long number;
	char clean[STAGE_TEXT_LIMIT + 1];
	size_t length;
	bool given;

	printable_text(clean, sizeof clean, text);
	length = strlen(clean);
	/* Callers take so short a text for none: the code alone says more. */
	if (length < SHORTEST_TEXT) given = false;
	else if (asked && *asked)
		given = parse_number(asked, 0, INT_MAX, &number) == 0 &&
			give_text((int)number, clean, length);
	else
		given = give_text(STAGE_TEXT_FD, clean, length) ||
			give_text(STAGE_OLD_TEXT_FD, clean, length);
	if (given) return QUEUE_CUSTOM_TEXT;
	return *text == 'D' ? QUEUE_REFUSED : QUEUE_TRY_AGAIN;
}

static void append_address(struct str *line, const char *address)
{
	size_t length = strlen(address);
	bool cut = length > LOGGED_ADDRESS;

	str_append_byte(line, '<');
	str_append_printable(line, address, cut ? LOGGED_ADDRESS : length);
	str_append_text(line, cut ? "...>" : ">");
}

static void append_recipients(struct str *line, const struct envelope *envelope)
{
	const char *recipient = NULL;
	size_t left = envelope->recipient_count;
	size_t end = line->length + LOGGED_RECIPIENTS;

	if (left == 0) str_append_text(line, " nobody");
	while ((recipient = envelope_next(envelope, recipient))) {
		if (line->length > end) break;
		str_append_byte(line, ' ');
		append_address(line, recipient);
		left--;
	}
	if (recipient) {
		str_append_text(line, " and ");
		str_append_number(line, left);
		str_append_text(line, " more");
	}
}

void stage_log(const struct stage *stage, const char *verdict,
	       const char *reason)
{
	struct str line = { 0 };

	str_append_text(&line, " qp ");
	str_append_number(&line, (unsigned long)getpid());
	str_append_text(&line, " bytes ");
	str_append_number(&line, stage->message.size);
	str_append_text(&line, " from ");
	append_address(&line, stage->envelope.sender);
	str_append_text(&line, " to");
	append_recipients(&line, &stage->envelope);
	note("%s%s%s%s", verdict, line.data, reason ? ": " : "",
	     reason ? reason : "");
	str_free(&line);
}

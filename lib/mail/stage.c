/* SPDX-License-Identifier: ISC */
#include "mail/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "system/file.h"

enum {
	LOGGED_ADDRESS = 320,     /* RFC 5321 section 4.5.3.1 allows no more */
	LOGGED_RECIPIENTS = 1000, /* bytes of the log line */
};

/* Not from the heap: pages that no message reaches cost nothing, and no system
   call asks for them. */
static char memory[STAGE_MEMORY_LIMIT];

/* No clean-up: after a day, a name may belong to somebody else. */
static void time_out(int signal_number)
{
	(void)signal_number;
	_exit(QUEUE_TIMED_OUT);
}

/* Blocked is as good as ignored here, and one call for all of them. A write
   past RLIMIT_FSIZE, or to nobody, then fails with an errno. */
static void hold_signals(void)
{
	static const int held[] = { SIGPIPE, SIGXFSZ, SIGXCPU,   SIGHUP,
				    SIGINT,  SIGQUIT, SIGVTALRM, SIGPROF };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof held / sizeof *held; i++)
		sigaddset(&set, held[i]);
	sigprocmask(SIG_SETMASK, &set, NULL);
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
	hold_signals();
	sigaction(SIGALRM, &action, NULL);
	alarm(STAGE_SECONDS);
	umask(077);
	have_a_log();
}

/* Fills the memory from descriptor 0; `*length` is less than all of it only at
   the end of the message. */
static int fill_memory(size_t *length)
{
	*length = 0;
	while (*length < sizeof memory) {
		ssize_t n = read(STDIN_FILENO, memory + *length,
				 sizeof memory - *length);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return -1;
		if (n == 0) break;
		*length += (size_t)n;
	}
	return 0;
}

/* Descriptor 0 is a file, and `used` bytes of the message have been read. */
static bool use_in_place(struct stage_message *message, size_t used)
{
	struct stat file;
	off_t at;

	if (fstat(STDIN_FILENO, &file) < 0 || !S_ISREG(file.st_mode))
		return false;
	at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	if (at < 0 || file.st_size < at) return false;
	message->fd = STDIN_FILENO;
	message->start = at - (off_t)used;
	message->size = (size_t)(file.st_size - message->start);
	return true;
}

static int open_unlinked(void)
{
	const char *folder = getenv("TMPDIR");
	struct str path = { 0 };
	int fd;

	if (!folder || !*folder) folder = "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0) return fd;
	str_append_text(&path, folder);
	str_append_text(&path, "/message.XXXXXX");
	fd = mkostemp(path.data, O_CLOEXEC);
	if (fd >= 0) unlink(path.data);
	str_free(&path);
	return fd;
}

/* The rest of descriptor 0 into the file: from a pipe without a copy through
   this process, from anything else by way of the memory. */
static enum queue_exit_code copy_rest(int fd, size_t *size)
{
	size_t length;
	ssize_t n;

	do {
		n = splice(STDIN_FILENO, NULL, fd, NULL, sizeof memory, 0);
		if (n > 0) *size += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0) return QUEUE_DONE;
	if (errno != EINVAL) return QUEUE_CANNOT_WRITE;
	do {
		if (fill_memory(&length) < 0) return QUEUE_CANNOT_READ;
		if (file_write(fd, memory, length) < 0)
			return QUEUE_CANNOT_WRITE;
		*size += length;
	} while (length == sizeof memory);
	return QUEUE_DONE;
}

static enum queue_exit_code take_message(struct stage_message *message)
{
	size_t length;

	if (fill_memory(&length) < 0) return QUEUE_CANNOT_READ;
	*message = (struct stage_message){ .size = length, .fd = -1 };
	if (length < sizeof memory) {
		message->bytes = memory;
		return QUEUE_DONE;
	}
	if (use_in_place(message, length)) return QUEUE_DONE;
	message->fd = open_unlinked();
	if (message->fd < 0) return QUEUE_CANNOT_WRITE;
	if (file_write(message->fd, memory, length) < 0)
		return QUEUE_CANNOT_WRITE;
	return copy_rest(message->fd, &message->size);
}

enum queue_exit_code stage_take(struct stage *stage)
{
	enum queue_exit_code code = take_message(&stage->message);

	if (code == QUEUE_CANNOT_WRITE) warn("cannot store the message:");
	if (code != QUEUE_DONE) return code;
	str_clear(&stage->envelope_bytes);
	if (file_read_rest(STDOUT_FILENO, &stage->envelope_bytes,
			   ENVELOPE_LIMIT) < 0)
		return errno == EFBIG ? QUEUE_CANNOT_WRITE : QUEUE_CANNOT_READ;
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

const char *stage_message_at(const struct stage_message *message, size_t offset,
			     size_t *length)
{
	size_t left = message->size - offset;
	ssize_t n;

	if (message->bytes || left == 0) {
		*length = left;
		return message->bytes ? message->bytes + offset : memory;
	}
	if (left > STAGE_CHUNK) left = STAGE_CHUNK;
	do n = pread(message->fd, memory, left, message->start + (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n == 0) errno = EPROTO;
	if (n <= 0) return NULL;
	*length = (size_t)n;
	return memory;
}

static int write_both(const struct str *head,
		      const struct stage_message *message, int fd)
{
	struct iovec parts[] = {
		{ head->data, head->length },
		{ message->bytes, message->size },
	};
	ssize_t n = writev(fd, parts, 2);
	size_t done = n > 0 ? (size_t)n : 0;

	if (n < 0 && errno != EINTR) return -1;
	if (done < head->length) {
		if (file_write(fd, head->data + done, head->length - done) < 0)
			return -1;
		done = head->length;
	}
	done -= head->length;
	return file_write(fd, message->bytes + done, message->size - done);
}

int stage_message_write(const struct stage_message *message,
			const struct str *head, int fd)
{
	off_t at = message->start;
	off_t end = message->start + (off_t)message->size;

	if (message->bytes) return write_both(head, message, fd);
	if (file_write(fd, head->data, head->length) < 0) return -1;
	while (at < end) {
		ssize_t n = sendfile(fd, message->fd, &at, (size_t)(end - at));

		if (n < 0 && errno != EINTR) return -1;
		if (n == 0) {
			errno = EPROTO; /* it shrank under us */
			return -1;
		}
	}
	return 0;
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
	if (asked && *asked)
		given = parse_number(asked, 0, INT_MAX, &number) == 0 &&
			give_text((int)number, clean, length);
	else given = give_text(6, clean, length) || give_text(4, clean, length);
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

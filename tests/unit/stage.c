/* mail/stage: what comes in on descriptors 0 and 1, what goes out on 6 or 4.
   SPDX-License-Identifier: ISC */
#include "mail/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/file.h"
#include "tap.h"

enum { MOST = 3 * STAGE_MEMORY_LIMIT };

static char bytes[MOST];

/* An unlinked file with these bytes, at its start. */
static int file_of(const void *data, size_t length)
{
	char path[] = "/tmp/stage-test.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) < 0 || file_write(fd, data, length) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		exit(1);
	return fd;
}

/* The reading end of a pipe that a child fills. */
static int pipe_of(const void *data, size_t length)
{
	int ends[2];

	if (pipe(ends) < 0) exit(1);
	if (fork() == 0) {
		close(ends[0]);
		_exit(file_write(ends[1], data, length) < 0);
	}
	close(ends[1]);
	return ends[0];
}

/* Runs in a child with `message` as 0 and `envelope` as 1; what it exits with. */
static int in_child(int message, int envelope, int (*work)(void))
{
	int status, log;
	pid_t child = fork();

	if (child == 0) {
		dup2(message, STDIN_FILENO);
		dup2(envelope, STDOUT_FILENO);
		log = open("/dev/null", O_WRONLY);
		dup2(log, STDERR_FILENO);
		for (int fd = 3; fd < 20; fd++) close(fd);
		_exit(work());
	}
	close(message);
	close(envelope);
	while (waitpid(child, &status, 0) < 0) continue;
	while (waitpid(-1, NULL, WNOHANG) > 0) continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

static size_t wanted_size;

/* Takes the message and compares what can be got of it in both ways. */
static int take_and_compare(void)
{
	struct stage stage = { 0 };
	struct str head = { 0 }, back = { 0 };
	enum queue_exit_code code = stage_take(&stage);
	size_t at = 0, length;
	int out;

	if (code != QUEUE_DONE) return (int)code;
	if (stage.message.size != wanted_size) return 201;
	if (!!stage.message.bytes != (wanted_size < STAGE_MEMORY_LIMIT))
		return 202;
	do {
		const char *part =
			stage_message_at(&stage.message, at, &length);

		if (!part) return 203;
		if (memcmp(part, bytes + at, length) != 0) return 204;
		at += length;
	} while (length > 0);
	if (at != wanted_size) return 205;
	out = file_of("", 0);
	str_append_text(&head, "head\n");
	if (stage_message_write(&stage.message, &head, out) < 0) return 206;
	if (lseek(out, 0, SEEK_SET) < 0 ||
	    file_read_rest(out, &back, MOST + 5) < 0)
		return 207;
	if (back.length != 5 + wanted_size) return 208;
	return memcmp(back.data, "head\n", 5) != 0 ||
	       memcmp(back.data + 5, bytes, wanted_size) != 0;
}

static const char envelope[] = "Fs@x\0Ta@x\0Tb@x\0";

static void test_sizes(void)
{
	static const size_t sizes[] = { 0,
					1,
					65536,
					STAGE_MEMORY_LIMIT - 1,
					STAGE_MEMORY_LIMIT,
					STAGE_MEMORY_LIMIT + 1,
					MOST };
	char name[64];

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		wanted_size = sizes[i];
		snprintf(name, sizeof name, "%zu bytes in a file", sizes[i]);
		is_number(in_child(file_of(bytes, sizes[i]),
				   file_of(envelope, sizeof envelope),
				   take_and_compare),
			  0, name);
		snprintf(name, sizeof name, "%zu bytes in a pipe", sizes[i]);
		is_number(in_child(pipe_of(bytes, sizes[i]),
				   pipe_of(envelope, sizeof envelope),
				   take_and_compare),
			  0, name);
	}
}

static int limited(void)
{
	struct rlimit limit = { 100, 100 };

	stage_start();
	setrlimit(RLIMIT_FSIZE, &limit);
	return take_and_compare();
}

static int without_a_folder(void)
{
	setenv("TMPDIR", "/nowhere", 1);
	return take_and_compare();
}

/* The file is cut while the message in it is being used. */
static int shrinking(void)
{
	struct stage stage = { 0 };
	struct str head = { 0 };
	size_t length;
	int out = file_of("", 0);

	if (stage_take(&stage) != QUEUE_DONE) return 201;
	if (stage.message.fd != STDIN_FILENO) return 202;
	if (ftruncate(STDIN_FILENO, 1000) < 0) return 203;
	if (!stage_message_at(&stage.message, 0, &length)) return 204;
	if (length != 1000) return 205;
	if (stage_message_at(&stage.message, 1000, &length)) return 206;
	if (errno != EPROTO) return 207;
	return stage_message_write(&stage.message, &head, out) == 0 ||
	       errno != EPROTO;
}

static void test_failures(void)
{
	int folder = open("/", O_RDONLY);

	wanted_size = MOST;
	is_number(in_child(pipe_of(bytes, MOST),
			   file_of(envelope, sizeof envelope), limited),
		  QUEUE_CANNOT_WRITE, "a temporary file over the limit");
	is_number(in_child(pipe_of(bytes, MOST),
			   file_of(envelope, sizeof envelope),
			   without_a_folder),
		  QUEUE_CANNOT_WRITE, "no folder for temporary files");
	is_number(in_child(file_of(bytes, MOST),
			   file_of(envelope, sizeof envelope), shrinking),
		  0, "a file that shrinks is noticed");
	is_number(in_child(dup(folder), file_of(envelope, sizeof envelope),
			   take_and_compare),
		  QUEUE_CANNOT_READ, "a message that cannot be read");
	is_number(in_child(file_of(bytes, 1), folder, take_and_compare),
		  QUEUE_CANNOT_READ, "an envelope that cannot be read");
}

static void test_envelopes(void)
{
	char word[2000];

	memset(word, 'F', sizeof word);
	wanted_size = 1;
	for (size_t cut = 0; cut < sizeof envelope; cut++)
		is_number(in_child(pipe_of(bytes, 1), pipe_of(envelope, cut),
				   take_and_compare),
			  QUEUE_CANNOT_READ, "a cut envelope");
	is_number(in_child(file_of(bytes, 1), file_of("xs\0\0", 4),
			   take_and_compare),
		  QUEUE_BAD_ENVELOPE, "a bad envelope");
	is_number(in_child(file_of(bytes, 1), file_of(word, sizeof word),
			   take_and_compare),
		  QUEUE_ADDRESS_TOO_LONG, "one long word");
}

/* ---- refusals ---- */

/* The text with these descriptors given; "" when none got it. */
static void is_refused(int fd, int flags, const char *error_fd,
		       enum queue_exit_code code, const char *text)
{
	int out = file_of("", 0), status;
	struct str got = { 0 };
	pid_t child = fork();

	if (child == 0) {
		int moved = fcntl(out, F_DUPFD, 30);

		for (int i = 3; i < 20; i++) close(i);
		if (fd >= 0 && dup3(moved, fd, flags) < 0) _exit(200);
		if (error_fd) setenv("ERROR_FD", error_fd, 1);
		_exit((int)stage_refuse(code == QUEUE_REFUSED ? "Dno\r\n250 ok"
							      : "Zlater\n"));
	}
	while (waitpid(child, &status, 0) < 0) continue;
	lseek(out, 0, SEEK_SET);
	file_read_rest(out, &got, 1000);
	is_number(WEXITSTATUS(status), *text ? QUEUE_CUSTOM_TEXT : code,
		  "the exit code of a refusal");
	is_text(got.data, text, "its text");
	str_free(&got);
	close(out);
}

static void test_refusals(void)
{
	is_refused(6, 0, NULL, QUEUE_REFUSED, "Dno??250 ok");
	is_refused(4, 0, NULL, QUEUE_REFUSED, "Dno??250 ok");
	is_refused(6, 0, NULL, QUEUE_TRY_AGAIN, "Zlater?");
	is_refused(9, 0, "9", QUEUE_REFUSED, "Dno??250 ok");
	is_refused(6, 0, "", QUEUE_REFUSED, "Dno??250 ok");
	is_refused(6, 0, "9", QUEUE_REFUSED, "");
	is_refused(6, 0, "nonsense", QUEUE_TRY_AGAIN, "");
	is_refused(-1, 0, NULL, QUEUE_REFUSED, "");
	is_refused(-1, 0, NULL, QUEUE_TRY_AGAIN, "");
	is_refused(6, O_CLOEXEC, NULL, QUEUE_REFUSED, "");
	is_refused(4, O_CLOEXEC, NULL, QUEUE_TRY_AGAIN, "");
}

/* ---- the log ---- */

static void test_log(void)
{
	static char sender[900], recipients[5000];
	struct stage stage = { 0 };
	struct str line = { 0 };
	int log = file_of("", 0), saved = dup(STDERR_FILENO);

	memset(sender, 's', sizeof sender - 1);
	for (size_t i = 0; i < 100; i++) memcpy(recipients + i * 6, "Trrrr", 6);
	stage.envelope = (struct envelope){ sender, recipients, 100 };
	dup2(log, STDERR_FILENO);
	stage_log(&stage, "deferred", "a reason");
	dup2(saved, STDERR_FILENO);
	lseek(log, 0, SEEK_SET);
	file_read_rest(log, &line, 10000);
	ok(line.length < 2048 && line.data[line.length - 1] == '\n',
	   "a long line is one line");
	ok(strstr(line.data, "s...> to <rrrr> <rrrr>") != NULL,
	   "a long sender is cut");
	ok(strstr(line.data, ": a reason\n") != NULL,
	   "the reason is all there");
	str_free(&line);
	close(log);
	close(saved);
}

static int hold(void)
{
	stage_start();
	raise(SIGHUP);
	raise(SIGINT);
	raise(SIGPIPE);
	raise(SIGALRM);
	return 1;
}

int main(void)
{
	for (size_t i = 0; i < MOST; i++) bytes[i] = (char)(i * 7 + i / 251);
	test_sizes();
	test_failures();
	test_envelopes();
	test_refusals();
	test_log();
	is_number(in_child(file_of("", 0), file_of("", 0), hold),
		  QUEUE_TIMED_OUT, "signals are held, the alarm is not");
	return done_testing();
}

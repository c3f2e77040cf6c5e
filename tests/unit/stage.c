/* mail/stage: what comes in on descriptors 0 and 1, what goes out on 6 or 4.
   SPDX-License-Identifier: ISC */
#include "mail/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

static bool is_file(int fd)
{
	return lseek(fd, 0, SEEK_CUR) >= 0;
}

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
	if (!!stage.message.bytes !=
	    (!is_file(STDIN_FILENO) && wanted_size < STAGE_MEMORY_LIMIT))
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

/* ---- another top ---- */

/* The rest of a descriptor is `top` and then the message from `cut` on. */
static int compare_rest(int fd, const char *top, size_t cut)
{
	struct str got = { 0 };
	size_t length = strlen(top);

	if (file_read_rest(fd, &got, 2 * MOST) < 0) return 211;
	if (got.length != length + wanted_size - cut) return 212;
	if (memcmp(got.data, top, length) != 0) return 213;
	return memcmp(got.data + length, bytes + cut, wanted_size - cut) == 0
		       ? 0
		       : 214;
}

static int replace_twice(void)
{
	struct stage stage = { 0 };
	struct str top = { 0 };
	int fd;

	if (stage_take(&stage) != QUEUE_DONE) return 201;
	str_append_text(&top, "a: first\n");
	if (stage_message_replace_top(&stage.message, 2, &top) < 0) return 202;
	fd = stage.message.fd;
	str_clear(&top);
	str_append_text(&top, "b: second\n");
	if (stage_message_replace_top(&stage.message, 3, &top) < 0) return 203;
	/* What had to be copied for the first is not copied again. */
	if (stage.message.fd != fd) return 204;
	if (stage_message_give(&stage.message) < 0) return 205;
	return compare_rest(STDIN_FILENO, "b: second\nfirst\n", 2);
}

/* More than there is room for in front, in memory and in the file. */
static int replace_by_much(void)
{
	struct stage stage = { 0 };
	struct str top = { 0 }, twice = { 0 };

	if (stage_take(&stage) != QUEUE_DONE) return 201;
	while (top.length < 200000) str_append_text(&top, "x: a line\n");
	if (stage_message_replace_top(&stage.message, 0, &top) < 0) return 202;
	if (stage_message_replace_top(&stage.message, 5, &top) < 0) return 203;
	str_append(&twice, top.data, top.length);
	str_append(&twice, top.data + 5, top.length - 5);
	if (stage_message_give(&stage.message) < 0) return 205;
	return compare_rest(STDIN_FILENO, twice.data, 0);
}

static int full_disk(void)
{
	struct stage stage = { 0 };
	struct str top = { 0 };

	setenv("TMPDIR", "/nowhere", 1);
	if (stage_take(&stage) != QUEUE_DONE) return 201;
	str_append_text(&top, "a: line\n");
	return stage_message_replace_top(&stage.message, 0, &top) < 0 ? 0 : 202;
}

/* A file that has a name is somebody's. */
static int leave_alone(void)
{
	struct stage stage = { 0 };
	struct str top = { 0 };

	if (stage_take(&stage) != QUEUE_DONE) return 201;
	str_append_text(&top, "a: line\n");
	if (stage_message_replace_top(&stage.message, 100, &top) < 0)
		return 202;
	if (stage_message_give(&stage.message) < 0) return 203;
	return compare_rest(STDIN_FILENO, "a: line\n", 100);
}

static void test_tops(void)
{
	static const size_t sizes[] = { 10,
					4096,
					STAGE_MEMORY_LIMIT - 1,
					STAGE_MEMORY_LIMIT,
					STAGE_MEMORY_LIMIT + 1,
					MOST };
	char path[] = "/tmp/stage-test.XXXXXX";
	struct str file = { 0 };
	int fd = mkstemp(path);

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		wanted_size = sizes[i];
		is_number(in_child(file_of(bytes, wanted_size),
				   file_of(envelope, sizeof envelope),
				   replace_twice),
			  0, "another top of a file");
		is_number(in_child(pipe_of(bytes, wanted_size),
				   pipe_of(envelope, sizeof envelope),
				   replace_twice),
			  0, "another top of what was in a pipe");
		is_number(in_child(file_of(bytes, wanted_size),
				   file_of(envelope, sizeof envelope),
				   replace_by_much),
			  0, "a long top of a file");
		is_number(in_child(pipe_of(bytes, wanted_size),
				   pipe_of(envelope, sizeof envelope),
				   replace_by_much),
			  0, "a long top of what was in a pipe");
	}
	if (fd < 0 || file_write(fd, bytes, MOST) < 0) exit(1);
	lseek(fd, 0, SEEK_SET);
	is_number(in_child(dup(fd), file_of(envelope, sizeof envelope),
			   leave_alone),
		  0, "a file with a name is copied");
	if (file_read(path, &file, MOST) < 0) exit(1);
	ok(file.length == MOST && memcmp(file.data, bytes, MOST) == 0,
	   "and stays as it was");
	unlink(path);
	str_free(&file);
	is_number(in_child(file_of(bytes, MOST),
			   file_of(envelope, sizeof envelope), full_disk),
		  0, "no room for the copy");
}

/* ---- the next stage ---- */

static int exec_words(struct stage *stage, const char *const *words)
{
	char *argv[4] = { 0 };

	for (int i = 0; words[i]; i++) argv[i] = strdup(words[i]);
	return (int)stage_exec_next(stage, argv);
}

/* A shell that says what it has got; 0 when that is right. */
static int exec_shell(void)
{
	static const char *const next[] = {
		"sh", "-c",
		"while read -r name value; do\n"
		"case $name in SigBlk:) test -z \"${value%%0*}\" || exit 31\n"
		"esac; done </proc/self/status\n"
		"test \"$(umask)\" = 0027 || exit 32\n"
		"for fd in 3 4 5 6 7 8 9; do\n"
		"test ! -e /proc/self/fd/$fd || exit 33; done; exec 3<&1\n"
		"test \"$(head -c 6)\" = 'a: bcd' || exit 34\n"
		"test \"$(tr '\\0' . <&3)\" = Fs@x.Ta@x.Tb@x.. || exit 35",
		NULL
	};
	struct stage stage = { 0 };
	struct str top = { 0 };

	umask(027);
	stage_start();
	raise(SIGPIPE);
	raise(SIGHUP);
	if (stage_take(&stage) != QUEUE_DONE) return 201;
	str_append_text(&top, "a: bcd\n");
	if (stage_message_replace_top(&stage.message, 0, &top) < 0) return 202;
	return exec_words(&stage, next);
}

static int exec_nothing(void)
{
	static const char *const next[] = { "/nowhere/queue", NULL };
	struct stage stage = { 0 };

	stage_start();
	if (stage_take(&stage) != QUEUE_DONE) return 201;
	return exec_words(&stage, next);
}

/* What stood on descriptors 0 and 1 is there again, to the byte. */
static int exec_as_it_was(void)
{
	static const char *const next[] = {
		"sh", "-c",
		"exec 3<&1; test \"$(cat)\" = 34567 && "
		"test \"$(tr '\\0' . <&3)\" = Fs@x..",
		NULL
	};
	struct stage stage = { 0 };

	stage_start();
	if (lseek(STDIN_FILENO, 3, SEEK_SET) < 0 ||
	    lseek(STDOUT_FILENO, 2, SEEK_SET) < 0)
		return 202;
	if (stage_take(&stage) != QUEUE_DONE) return 201;
	return exec_words(&stage, next);
}

static int exec_with_another_envelope(void)
{
	static const char *const next[] = {
		"sh", "-c", "exec 3<&1; test \"$(tr '\\0' . <&3)\" = F.Tz@x..",
		NULL
	};
	struct stage stage = { 0 };
	struct str other = { 0 };

	stage_start();
	if (stage_take(&stage) != QUEUE_DONE) return 201;
	envelope_start(&other, "");
	envelope_add(&other, "z@x");
	envelope_end(&other);
	stage_set_envelope(&stage, &other);
	if (stage.envelope.recipient_count != 1) return 202;
	return exec_words(&stage, next);
}

static void test_next(void)
{
	static const size_t sizes[] = { 1, 4096, MOST };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		is_number(in_child(file_of(bytes, sizes[i]),
				   file_of(envelope, sizeof envelope),
				   exec_shell),
			  0, "the next stage after a file");
		is_number(in_child(pipe_of(bytes, sizes[i]),
				   pipe_of(envelope, sizeof envelope),
				   exec_shell),
			  0, "the next stage after a pipe");
	}
	is_number(in_child(file_of(bytes, 1),
			   file_of(envelope, sizeof envelope), exec_nothing),
		  QUEUE_CANNOT_EXEC, "a next stage that is not there");
	is_number(in_child(file_of("01234567", 8), file_of("12Fs@x\0\0", 8),
			   exec_as_it_was),
		  0, "a file is used in place");
	is_number(in_child(file_of(bytes, 1),
			   pipe_of(envelope, sizeof envelope),
			   exec_with_another_envelope),
		  0, "another envelope");
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

/* Callers hear no text in them, and so a temporary refusal. */
static void test_short_refusals(void)
{
	int out = file_of("", 0);

	dup2(out, 6);
	is_number(stage_refuse("Dx"), QUEUE_REFUSED, "a text of one byte");
	is_number(stage_refuse("Z"), QUEUE_TRY_AGAIN, "no text at all");
	is_number(stage_refuse("Dno"), QUEUE_CUSTOM_TEXT, "one of two");
	is_number(lseek(6, 0, SEEK_END), 3, "nothing but that was said");
	close(6);
	close(out);
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
	test_tops();
	test_next();
	test_refusals();
	test_short_refusals();
	test_log();
	is_number(in_child(file_of("", 0), file_of("", 0), hold),
		  QUEUE_TIMED_OUT, "signals are held, the alarm is not");
	return done_testing();
}

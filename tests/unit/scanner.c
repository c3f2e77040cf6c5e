/* The talk with a scanner, over a socket pair: messages in memory and in files,
   scanners that take their time, answer early, hang up, or say nothing.
   SPDX-License-Identifier: ISC */
#include "mail/scanner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

static const char head_text[] = "HEAD\n", tail_text[] = "\nTAIL";
static struct str head, tail, content;
static struct scanner scanner = { .name = "scanner" };
static pid_t child;

enum { LONG = 3 * STAGE_MEMORY_LIMIT };

/* What a scanner does with its end of the connection. */
typedef void behaviour(int fd);

static void start(behaviour *behave, unsigned long seconds)
{
	int ends[2], flags;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	child = fork();
	if (child == 0) {
		close(ends[0]);
		behave(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	flags = fcntl(ends[0], F_GETFL);
	fcntl(ends[0], F_SETFL, flags | O_NONBLOCK);
	scanner.fd = ends[0];
	scanner.end = deadline_in(seconds);
	scanner.code = QUEUE_DONE;
	scanner.reason[0] = '\0';
}

static void stop(void)
{
	scanner_hang_up(&scanner);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static bool read_all(int fd, struct str *into)
{
	char bytes[5000];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		str_append(into, bytes, (size_t)n);
	return n == 0;
}

/* Hears everything, and says what was right. */
static void listen_well(int fd)
{
	struct str heard = { 0 }, wanted = { 0 };
	const char *answer = "wrong";

	str_append(&wanted, head.data, head.length);
	str_append(&wanted, content.data, content.length);
	str_append(&wanted, tail.data, tail.length);
	if (read_all(fd, &heard) && heard.length == wanted.length &&
	    memcmp(heard.data, wanted.data, wanted.length) == 0)
		answer = "right";
	if (write(fd, answer, 5) != 5) _exit(1);
}

static void hear_all(const char *wanted, const char *name)
{
	struct str answer = { 0 };
	ssize_t n;

	do n = scanner_hear(&scanner, &answer, 100);
	while (n > 0);
	is_text(n == 0 ? answer.data : scanner.reason, wanted, name);
	str_free(&answer);
}

static void ask(const struct stage_message *message, const char *name)
{
	start(listen_well, 20);
	is_number(scanner_ask(&scanner, &head, message, &tail), 0, name);
	shutdown(scanner.fd, SHUT_WR);
	hear_all("right", "it was heard");
	stop();
}

static void has_failed(enum queue_exit_code code, const char *reason)
{
	is_number(scanner.code, code, "the code");
	is_text(scanner.reason, reason, "and the reason");
}

static void fill(size_t length)
{
	str_clear(&content);
	for (size_t i = 0; i < length; i++)
		str_append_byte(&content, (char)(i % 251));
}

/* The content behind some bytes that are none of it. */
static struct stage_message in_file(off_t offset)
{
	char name[] = "/tmp/scanner.XXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	if (lseek(fd, offset, SEEK_SET) < 0 ||
	    write(fd, content.data, content.length) != (ssize_t)content.length)
		abort();
	return (struct stage_message){
		.fd = fd,
		.size = content.length,
		.start = offset,
	};
}

static struct stage_message in_memory(void)
{
	return (struct stage_message){
		.bytes = content.data,
		.size = content.length,
		.fd = -1,
	};
}

static void questions(void)
{
	static const size_t lengths[] = { 0, 1, 100000, LONG };
	struct stage_message message;

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		fill(lengths[i]);
		message = in_memory();
		ask(&message, "in memory");
		message = in_file(0);
		ask(&message, "in a file");
		close(message.fd);
		message = in_file(4321);
		ask(&message, "in a file from an offset on");
		close(message.fd);
	}
	str_clear(&tail);
	message = in_file(0);
	ask(&message, "with nothing behind it");
	close(message.fd);
	str_append_text(&tail, tail_text);
}

static void speak_early(int fd)
{
	if (write(fd, "enough", 6) != 6) _exit(1);
	pause();
}

static void speak_and_leave(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1 || write(fd, "enough", 6) != 6) _exit(1);
}

static void leave(int fd)
{
	close(fd);
}

static void say_nothing(int fd)
{
	(void)fd;
	pause();
}

static void babble(int fd)
{
	for (;;)
		if (write(fd, "babble", 6) != 6) _exit(0);
}

static void bad_listeners(bool is_file)
{
	struct stage_message message;
	struct str answer = { 0 };

	fill(LONG);
	message = is_file ? in_file(0) : in_memory();
	start(speak_early, 20);
	is_number(scanner_ask(&scanner, &head, &message, &tail), 0,
		  "one that answers early is not asked any further");
	is_number(scanner_hear(&scanner, &answer, 6), 6, "and heard");
	is_text(answer.data, "enough", "in its words");
	stop();
	start(speak_and_leave, 20);
	is_number(scanner_ask(&scanner, &head, &message, &tail), 0,
		  "one that answers and hangs up");
	str_clear(&answer);
	is_number(scanner_hear(&scanner, &answer, 6), 6, "is heard as well");
	stop();
	start(leave, 20);
	is_number(scanner_ask(&scanner, &head, &message, &tail), 0,
		  "one that hangs up");
	str_clear(&answer);
	ok(scanner_hear(&scanner, &answer, 6) <= 0, "has no answer");
	stop();
	start(say_nothing, 1);
	is_number(scanner_ask(&scanner, &head, &message, &tail), -1,
		  "one that does not listen is not waited for for ever");
	has_failed(QUEUE_TIMED_OUT, "scanner does not answer");
	stop();
	if (is_file) close(message.fd);
	str_free(&answer);
}

static void bad_answers(void)
{
	struct stage_message message;
	struct str answer = { 0 };
	ssize_t n;

	fill(10);
	message = in_memory();
	start(say_nothing, 1);
	is_number(scanner_ask(&scanner, &head, &message, &tail), 0,
		  "one that says nothing is asked");
	is_number(scanner_hear(&scanner, &answer, 6), -1,
		  "but gives no answer in time");
	has_failed(QUEUE_TIMED_OUT, "scanner does not answer");
	stop();
	start(babble, 20);
	do n = scanner_hear(&scanner, &answer, 50000);
	while (n > 0);
	is_number(n, -1, "one that does not end");
	has_failed(QUEUE_TRY_AGAIN, "scanner answers too much");
	ok(answer.length <= 50000, "of which no more is kept");
	stop();
	str_free(&answer);
}

static void shrinking_file(void)
{
	struct stage_message message;

	fill(LONG);
	message = in_file(0);
	if (ftruncate(message.fd, LONG - 1) < 0) abort();
	start(listen_well, 20);
	is_number(scanner_ask(&scanner, &head, &message, &tail), -1,
		  "a file that has shrunk");
	is_number(scanner.code, QUEUE_TRY_AGAIN, "is seen");
	stop();
	close(message.fd);
}

static void reasons(void)
{
	scanner.where = "/nowhere/at/all";
	scanner.end = deadline_in(1);
	is_number(scanner_connect(&scanner), -1, "one that is not there");
	has_failed(QUEUE_CANNOT_CONNECT,
		   "cannot connect to scanner, file does not exist");
	is_number(scanner_is_wrong(&scanner, "says", "what?"), -1,
		  "one that says what is no answer");
	has_failed(QUEUE_TRY_AGAIN, "scanner says what?");
	is_number(scanner_is_wrong(&scanner, "is mad", NULL), -1,
		  "or nothing worth repeating");
	has_failed(QUEUE_TRY_AGAIN, "scanner is mad");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	str_append_text(&head, head_text);
	str_append_text(&tail, tail_text);
	questions();
	bad_listeners(false);
	bad_listeners(true);
	bad_answers();
	shrinking_file();
	reasons();
	return done_testing();
}

/* The refusal conversation, over sockets and pipes: what is said, what the log
   is told, and how it ends with clients that do not keep to the rules.
   SPDX-License-Identifier: ISC */
#include "mail/refusal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "system/deadline.h"
#include "tap.h"

enum {
	LONG_SECONDS = 20,
	LEAVE_SECONDS = 2, /* that a client has that is told to go */
	LONG_LINE = 1024 * 1024,
};

static struct str events;

static void record(void *context, enum refusal_event event, const char *line)
{
	struct str *into = context;

	str_append_byte(into, event == REFUSAL_HEARD  ? '<'
			      : event == REFUSAL_SAID ? '>'
						      : '!');
	str_append_text(into, line);
	str_append_byte(into, '|');
}

static const struct refusal of_rblsmtpd = { .greeting = "rblsmtpd.local",
					    .text = "451 x",
					    .seconds = LONG_SECONDS,
					    .noop_is_welcome = true,
					    .callback = record,
					    .context = &events };
static const struct refusal of_jgreylist = { .greeting = "jgreylist v8",
					     .text = "450 GREYLIST later.",
					     .seconds = LONG_SECONDS,
					     .last_word = "421 timeout",
					     .recipients = 2,
					     .too_many = "421 Too many",
					     .callback = record,
					     .context = &events };

/* Both ends of a TCP connection; a Unix socket knows no reset. */
static void connect_pair(int pair[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, size) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) < 0 ||
	    connect(pair[0], (struct sockaddr *)&address, size) < 0)
		abort();
	pair[1] = accept(listener, NULL, NULL);
	close(listener);
}

/* False: nobody took it all. */
static bool put(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n <= 0) return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* Up to the end; false when that was a reset. */
static bool read_all(int fd, struct str *into)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		str_append(into, bytes, (size_t)n);
	return n == 0;
}

/* What a client reads that has said all of `input` and no more. */
static enum refusal_end talk(const struct refusal *refusal, const char *input,
			     size_t length, struct str *output)
{
	int pair[2];
	enum refusal_end end;

	str_clear(&events);
	str_clear(output);
	connect_pair(pair);
	put(pair[0], input, length);
	shutdown(pair[0], SHUT_WR);
	end = refusal_hold(refusal, pair[1], pair[1]);
	close(pair[1]);
	ok(read_all(pair[0], output), "no reset at the end");
	close(pair[0]);
	return end;
}

#define BYTES(text) text, sizeof(text) - 1
#define HI "220 rblsmtpd.local\r\n"
#define FINE "250 rblsmtpd.local\r\n"
#define NO "451 x\r\n"
#define BYE "221 rblsmtpd.local\r\n"
#define J_HI "220 jgreylist v8\r\n"
#define J_FINE "250 jgreylist v8\r\n"
#define J_NO "450 GREYLIST later.\r\n"

static const struct {
	const char *name;
	const struct refusal *refusal;
	const char *input;
	size_t length;
	const char *output;
	enum refusal_end end;
} talks[] = {
	{ "a usual client", &of_rblsmtpd,
	  BYTES("HELO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
		"RSET\r\nQUIT\r\n"),
	  HI FINE FINE NO NO FINE BYE, REFUSAL_QUIT },
	{ "every word in any case", &of_rblsmtpd,
	  BYTES("helo\nehLO b\nMail\nrset x\nnoop  y\nrcpt\nvrfy\nSTARTTLS\n"
		"AUTH PLAIN\nhelp\nquit now\n"),
	  HI FINE FINE FINE FINE FINE NO NO NO NO NO BYE, REFUSAL_QUIT },
	{ "nothing at all", &of_rblsmtpd, BYTES(""), HI, REFUSAL_CLOSED },
	{ "half a line", &of_rblsmtpd, BYTES("NOOP\r\nQUIT"), HI FINE,
	  REFUSAL_CLOSED },
	{ "odd lines", &of_rblsmtpd,
	  BYTES("\r\n\n \r\n NOOP\r\nNOOP\t\r\nNOOP\r\r\nNOOPS\r\nNOO\r\n"
		"NO\0OP\r\nNOOP\0\r\nNOOP \0\xff\r\n\rNOOP\nNOOP\r \n"),
	  HI NO NO NO NO NO NO NO NO NO NO FINE NO NO, REFUSAL_CLOSED },
	{ "words behind QUIT", &of_rblsmtpd, BYTES("QUIT\r\nNOOP\r\n"), HI BYE,
	  REFUSAL_QUIT },
	{ "jgreylist refuses NOOP", &of_jgreylist,
	  BYTES("EHLO a\r\nNOOP\r\nRSET\r\nQUIT\r\n"),
	  J_HI J_FINE J_NO J_FINE "221 jgreylist v8\r\n", REFUSAL_QUIT },
	{ "the second recipient", &of_jgreylist,
	  BYTES("RCPT a\r\nRCPTS\r\nrcpt b\r\nNOOP\r\nQUIT\r\n"),
	  J_HI J_NO J_NO "421 Too many\r\n", REFUSAL_TOO_MANY_RECIPIENTS },
};

static void test_talks(void)
{
	struct str output = { 0 };

	for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
		printf("# %s\n", talks[i].name);
		is_number(talk(talks[i].refusal, talks[i].input,
			       talks[i].length, &output),
			  (long long)talks[i].end, "the end");
		is_bytes(output.data, output.length, talks[i].output,
			 strlen(talks[i].output), talks[i].name);
	}
	str_free(&output);
}

static void test_events(void)
{
	struct refusal refusal = of_rblsmtpd;
	struct str output = { 0 }, long_line = { 0 };

	talk(&of_rblsmtpd, BYTES("MAIL FROM:<\x1b[\0>\r\nRCPT\nQUIT\r\nX\n"),
	     &output);
	is_text(events.data,
		">220 rblsmtpd.local|<MAIL FROM:<?[?>|>250 rblsmtpd.local|"
		"<RCPT|>451 x|<QUIT|>221 rblsmtpd.local|",
		"every line is told, and printable");
	talk(&of_jgreylist, BYTES("RCPT a\r\nRCPT b\r\n"), &output);
	is_text(events.data,
		">220 jgreylist v8|<RCPT a|>450 GREYLIST later.|<RCPT b|"
		"!RCPT b|>421 Too many|",
		"hanging up is told before the words for it");
	for (size_t i = 0; i < REFUSAL_LINE - 1; i++)
		str_append_byte(&long_line, i % 2 ? '\xc3' : ' ');
	str_append_text(&long_line, "\n");
	talk(&of_rblsmtpd, long_line.data, long_line.length, &output);
	is_number((long long)events.length,
		  (long long)sizeof ">220 rblsmtpd.local|<|>451 x|" - 1 +
			  REFUSAL_LINE - 1,
		  "a line of the whole room is told whole");
	is_text(events.data + events.length - 12, "? ? |>451 x|",
		"to its last byte");
	str_clear(&long_line);
	for (size_t i = 0; i < REFUSAL_LINE; i++)
		str_append_byte(&long_line, 'x');
	str_append_text(&long_line, "\r\n");
	talk(&of_rblsmtpd, long_line.data, long_line.length, &output);
	is_text(events.data + events.length - 12, "x...|>451 x|",
		"a longer one is cut");
	refusal.callback = NULL;
	talk(&refusal, BYTES("NOOP\r\n"), &output);
	is_text(output.data, HI FINE, "nobody need listen");
	str_free(&output);
	str_free(&long_line);
}

static void test_much_behind_quit(void)
{
	struct str input = { 0 }, output = { 0 };

	str_append_text(&input, "QUIT\r\n");
	for (int i = 0; i < 5000; i++) str_append_text(&input, "NOOP\r\n");
	is_number(talk(&of_rblsmtpd, input.data, input.length, &output),
		  REFUSAL_QUIT, "much that is not read behind QUIT");
	is_text(output.data, HI BYE, "takes nothing away");
	str_free(&input);
	str_free(&output);
}

/* What is said must not depend on the rooms that it passes through. */
static void test_long_texts(void)
{
	struct refusal refusal = of_rblsmtpd;
	struct str text = { 0 }, wanted = { 0 }, output = { 0 };

	str_append_text(&text, "451 ");
	for (int i = 0; i < 10000; i++)
		str_append_byte(&text, (char)('a' + i % 26));
	refusal.text = text.data;
	str_append_text(&wanted, HI);
	for (int i = 0; i < 5; i++) {
		str_append_text(&wanted, text.data);
		str_append_text(&wanted, "\r\n");
	}
	talk(&refusal, BYTES("A\nB\nC\nD\nE\n"), &output);
	is_bytes(output.data, output.length, wanted.data, wanted.length,
		 "texts longer than any buffer");
	str_free(&text);
	str_free(&wanted);
	str_free(&output);
}

static void test_pipes(void)
{
	struct refusal told = of_rblsmtpd;
	struct str output = { 0 };
	int input_pipe[2], output_pipe[2];

	if (pipe(input_pipe) < 0 || pipe(output_pipe) < 0) abort();
	put(input_pipe[1], BYTES("EHLO a\nDATA\nQUIT\n"));
	is_number(refusal_hold(&of_rblsmtpd, input_pipe[0], output_pipe[1]),
		  REFUSAL_QUIT, "on pipes too");
	close(output_pipe[1]);
	read_all(output_pipe[0], &output);
	is_text(output.data, HI FINE NO BYE, "the same is said");
	close(output_pipe[0]);
	if (pipe(output_pipe) < 0) abort();
	told.seconds = 0;
	str_clear(&output);
	is_number(refusal_hold(&told, input_pipe[0], output_pipe[1]),
		  REFUSAL_TOLD, "no seconds, on pipes");
	close(output_pipe[1]);
	read_all(output_pipe[0], &output);
	is_text(output.data, NO, "the refusal is all that is said");
	close(output_pipe[0]);
	put(input_pipe[1], BYTES("EHLO a\n"));
	if (pipe(output_pipe) < 0) abort();
	close(output_pipe[0]);
	is_number(refusal_hold(&of_rblsmtpd, input_pipe[0], output_pipe[1]),
		  REFUSAL_CLOSED, "a pipe that nobody reads");
	close(output_pipe[1]);
	close(input_pipe[0]);
	close(input_pipe[1]);
	str_free(&output);
}

static void test_told(void)
{
	struct refusal refusal = of_rblsmtpd;
	struct str output = { 0 };

	refusal.seconds = 0;
	is_number(talk(&refusal, BYTES("HELO a\r\nQUIT\r\n"), &output),
		  REFUSAL_TOLD, "no seconds");
	is_text(output.data, NO, "the refusal is all that is said");
	str_free(&output);
}

/* A client that does nothing, and one that reads nothing. */
static void test_idle_clients(void)
{
	struct refusal refusal = of_jgreylist;
	struct str output = { 0 }, many = { 0 };
	int pair[2];

	refusal.seconds = 1;
	connect_pair(pair);
	is_number(refusal_hold(&refusal, pair[1], pair[1]), REFUSAL_TIMEOUT,
		  "a silent client");
	close(pair[1]);
	ok(read_all(pair[0], &output), "no reset at the end");
	is_text(output.data, J_HI "421 timeout\r\n", "the last word");
	close(pair[0]);

	str_clear(&output);
	refusal.last_word = NULL;
	connect_pair(pair);
	put(pair[0], BYTES("RSET\r\nDA"));
	is_number(refusal_hold(&refusal, pair[1], pair[1]), REFUSAL_TIMEOUT,
		  "one that stops in the middle");
	close(pair[1]);
	read_all(pair[0], &output);
	is_text(output.data, J_HI J_FINE, "no last word");
	close(pair[0]);

	refusal = of_rblsmtpd;
	refusal.callback = NULL;
	refusal.seconds = 1;
	refusal.last_word = "421 never said";
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) abort();
	for (int i = 0; i < 20000; i++) str_append_text(&many, "X\nNOOP\n");
	put(pair[0], many.data, many.length);
	is_number(refusal_hold(&refusal, pair[1], pair[1]), REFUSAL_TIMEOUT,
		  "a client that reads nothing");
	close(pair[1]);
	str_clear(&output);
	read_all(pair[0], &output);
	ok(strncmp(output.data, HI NO FINE NO, sizeof HI NO FINE NO - 1) == 0,
	   "what it could have read");
	ok(!strstr(output.data, "never"), "no last word within another line");
	close(pair[0]);
	str_free(&many);
	str_free(&output);
}

/* The client is a process of its own; its exit code says how it liked it. */
static pid_t start_client(int client(int), int pair[2])
{
	pid_t pid;

	connect_pair(pair);
	pid = fork();
	if (pid == 0) {
		close(pair[1]);
		_exit(client(pair[0]));
	}
	close(pair[0]);
	return pid;
}

static int end_client(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int send_long_lines(int fd)
{
	struct str text = { 0 };

	signal(SIGPIPE, SIG_IGN);
	str_append_text(&text, "NOOP ");
	for (int i = 0; i < LONG_LINE; i++) str_append_byte(&text, 'a');
	str_append_text(&text, "\r\n");
	for (int i = 0; i < LONG_LINE; i++) str_append_byte(&text, 'N');
	str_append_text(&text, "\r\nQUIT\r\n");
	put(fd, text.data, text.length);
	str_clear(&text);
	return !read_all(fd, &text) || strcmp(text.data, HI FINE NO BYE) != 0;
}

static int flood(int fd)
{
	static const char noops[] = "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n";
	char bytes[4096];

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		if (send(fd, noops, sizeof noops - 1, MSG_DONTWAIT) < 0 &&
		    recv(fd, bytes, sizeof bytes, 0) <= 0)
			return 0;
		if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) == 0) return 0;
	}
}

/* Has more to say than it is listened to; nobody slams the door. */
static int talk_on(int fd)
{
	struct str text = { 0 };

	signal(SIGPIPE, SIG_IGN);
	put(fd, BYTES("RCPT a\r\nRCPT b\r\nRCPT c\r\n"));
	if (!read_all(fd, &text)) return 1;
	if (strcmp(text.data, J_HI J_NO "421 Too many\r\n") != 0) return 2;
	for (int i = 0; i < 2000; i++)
		if (!put(fd, BYTES("RCPT TO:<c@d>\r\n"))) return 3;
	return 0;
}

static int reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };
	char byte;

	if (read(fd, &byte, 1) != 1) return 1;
	put(fd, BYTES("NOOP\r\nNO"));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
	return 0;
}

static void test_hostile_clients(void)
{
	struct refusal refusal = of_rblsmtpd;
	deadline late;
	int pair[2];
	pid_t pid = start_client(send_long_lines, pair);

	refusal.callback = NULL;
	is_number(refusal_hold(&refusal, pair[1], pair[1]), REFUSAL_QUIT,
		  "lines of a megabyte");
	close(pair[1]);
	is_number(end_client(pid), 0, "one reply each");

	pid = start_client(flood, pair);
	refusal.seconds = 1;
	late = deadline_in(LONG_SECONDS / 2);
	is_number(refusal_hold(&refusal, pair[1], pair[1]), REFUSAL_TIMEOUT,
		  "a client that never stops");
	ok(deadline_left(late) > 0, "is stopped at the deadline");
	close(pair[1]);
	is_number(end_client(pid), 0, "and for good");

	pid = start_client(talk_on, pair);
	late = deadline_in(LEAVE_SECONDS);
	is_number(refusal_hold(&of_jgreylist, pair[1], pair[1]),
		  REFUSAL_TOO_MANY_RECIPIENTS, "one that goes on and on");
	ok(deadline_left(late) > 0, "is shown the end");
	close(pair[1]);
	is_number(end_client(pid), 0, "gets the last words");

	pid = start_client(reset, pair);
	is_number(refusal_hold(&of_rblsmtpd, pair[1], pair[1]), REFUSAL_CLOSED,
		  "a reset");
	close(pair[1]);
	is_number(end_client(pid), 0, "of a greeted client");
}

int main(void)
{
	test_talks();
	test_events();
	test_much_behind_quit();
	test_long_texts();
	test_pipes();
	test_told();
	test_idle_clients();
	test_hostile_clients();
	str_free(&events);
	return done_testing();
}

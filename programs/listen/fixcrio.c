/* fixcrio: runs a program and puts a CR before each LF that has none, in what
   the client sends and in what the program answers: for clients and programs
   that forget it. The program keeps the pid that tcpserver knows; the relay is
   the child. It has no options: whatever comes first is the program.

   Exit 111 when the program cannot be run. Afterwards the relay ends when the
   program's output does; no error of it reaches the program but the end of a
   pipe.

   SPDX-License-Identifier: ISC */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "system/process.h"
#include "system/relay.h"

enum {
	MOST_READ = RELAY_ROOM / 2, /* each byte may be a lone LF */
	POLL_SECONDS = 3600,
};

static const char synopsis[] = "fixcrio program [ arg ... ]";

struct direction {
	struct relay_way way;
	char last; /* byte of what has passed */
};

/* What has just been read moves to the end of the room and from there, line
   by line, to the front: which it never overtakes, being at most doubled. */
static void fix_lines(struct direction *direction)
{
	char *to = direction->way.data, last = direction->last;
	const char *end = to + RELAY_ROOM, *from = end - direction->way.end;

	memmove(to + RELAY_ROOM - direction->way.end, to, direction->way.end);
	for (; from < end; last = *from++) {
		if (*from == '\n' && last != '\r') *to++ = '\r';
		*to++ = *from;
	}
	direction->last = last;
	direction->way.end = (size_t)(to - direction->way.data);
}

/* An error counts as the end of that way. */
static void serve(struct direction *direction, const struct pollfd *watched)
{
	switch (relay_step(&direction->way, watched)) {
	case RELAY_GOES_ON: return;
	case RELAY_HAS_READ: fix_lines(direction); return;
	case RELAY_IS_AT_END:
	case RELAY_CANNOT_READ:
	case RELAY_CANNOT_WRITE: break;
	}
	close(direction->way.in);
	close(direction->way.out);
	direction->way.in = direction->way.out = -1;
	direction->way.end = 0;
}

/* The client has taken nothing for an hour, and the program that would lose
   patience with it is gone. */
static void nothing_happened(const struct direction *to_client, pid_t program)
{
	if (to_client->way.end > 0 && getppid() != program) _exit(EXIT_DONE);
}

static _Noreturn void run_relay(int to_program, int from_program, pid_t program)
{
	static struct direction from_client, to_client; /* large */
	int kept[] = { to_program, from_program };

	signal(SIGPIPE, SIG_IGN);
	relay_keep_only(kept, sizeof kept / sizeof kept[0]);
	relay_make_nonblocking(to_program);
	from_client.way.in = STDIN_FILENO;
	from_client.way.out = to_program;
	from_client.way.kind = STREAM_NONBLOCKING;
	to_client.way.in = from_program;
	to_client.way.out = STDOUT_FILENO;
	from_client.way.read_limit = to_client.way.read_limit = MOST_READ;
	while (to_client.way.in >= 0) {
		struct pollfd watched[] = { relay_watch(&to_client.way),
					    relay_watch(&from_client.way) };
		int ready = poll(watched, 2, POLL_SECONDS * 1000);

		if (ready == 0) nothing_happened(&to_client, program);
		if (ready <= 0) continue;
		serve(&to_client, &watched[0]);
		serve(&from_client, &watched[1]);
	}
	_exit(EXIT_DONE);
}

/* A TLS process would take the connection from under the relay, so the program
   is not to know of it. */
static void decline_tls(void)
{
	unsetenv("SSLCTLFD");
	unsetenv("SSLREADFD");
	unsetenv("SSLWRITEFD");
}

int main(int argc, char **argv)
{
	int input, to_program, from_program, output;
	pid_t program = getpid(), child;

	program_name = "fixcrio";
	if (argc < 2) die_usage(synopsis);
	if (relay_pipe(&input, &to_program) < 0 ||
	    relay_pipe(&from_program, &output) < 0)
		die_temporary("unable to create pipe:");
	child = _Fork(); /* no threads, no handlers to run */
	if (child < 0) die_temporary("unable to fork:");
	if (child == 0) run_relay(to_program, from_program, program);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		die_temporary("unable to move descriptors:");
	decline_tls();
	process_run_next(argv + 1);
}

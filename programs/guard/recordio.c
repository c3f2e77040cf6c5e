/* recordio: runs a program and copies what passes between it and the client to
   the log. The program keeps the pid that tcpserver knows; the relay is the
   child.

   The log is Debian's recordio's, byte for byte: "PID < DATA" for what the
   client sends and "PID > DATA" for the program's answers, in reads of at most
   256 bytes, ended by a space where a line ended, by '+' where it did not;
   "[EOF]" at each end. -a hides what AUTH carries, -b the messages, -e keeps
   control bytes out of the log.

   With UCSPI-TLS (SSLCTLFD, SSLREADFD, SSLWRITEFD in the environment) the TLS
   process takes the connection away in the middle, and a relay that reads one
   byte more than the commands before it breaks the handshake. So the relay
   stands between the program and those three descriptors too, stops reading
   from the client at STARTTLS, and goes on with the text inside the TLS.

   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "mail/conversation.h"
#include "system/deadline.h"
#include "system/process.h"
#include "system/relay.h"
#include "system/stream.h"

enum {
	LOG_UNIT = 256, /* a log line holds at most so many bytes */
	/* The prefix, LOG_UNIT bytes, each of which may become four, a remark
	   and an end. */
	LOG_LINE = 64 + 4 * LOG_UNIT + 64,
	ROOM = 64 * LOG_UNIT, /* what one read may take */
	REPLY_SECONDS = 5,    /* see struct relay, patience */
	POLL_SECONDS = 3600,
	NO_FD = -1,
};

static const char synopsis[] = "recordio [ -abe ] program [ arg ... ]";

struct options {
	bool hide_auth;
	bool hide_messages;
	bool escape;
	char **next;
};

/* What UCSPI-TLS hands down. */
struct tls_fds {
	int control;
	int read;
	int write;
};

/* One way through the relay. `data` is filled by one read, when it is empty:
   logged up to `logged`, and of that, written up to `written`. What is not yet
   logged may not pass. */
struct direction {
	const char *mark; /* in the log; NULL: not logged */
	int in;
	int out; /* both NO_FD when it has ended */
	enum stream_kind kind;
	size_t written;
	size_t logged;
	size_t end;
	char data[ROOM];
};

/* Lines on their way to the log. Those of one read leave together, and never
   more of them than a pipe takes in one piece, so that the lines of several
   sessions on one log stay whole. */
struct log {
	char text[PIPE_BUF];
	size_t length;
};

enum tls_phase {
	TLS_ABSENT,   /* or declined by the program */
	TLS_OFFERED,  /* the program may ask for it */
	TLS_STARTING, /* it has; its last plain words are on their way */
	TLS_ON,
};

struct relay {
	struct options options;
	pid_t program_pid;
	bool follows; /* the conversation must be understood */
	struct conversation conversation;
	/* How long the client's next bytes wait for the server's reply. One
	   that comes later is understood as well; it takes a server that is
	   silent and a client that does not wait to get this far. */
	deadline patience;
	bool was_waiting;
	struct log log;
	unsigned long hidden_bytes; /* of the message that passes now */
	enum tls_phase phase;
	struct tls_fds server;  /* the TLS process is at their other ends */
	struct tls_fds program; /* the program is */
	struct direction from_client;
	struct direction from_program;
	struct direction to_control; /* from the program to the TLS process */
	struct direction from_control;
};

/* ---- the log ---- */

/* A log that cannot be written is no reason to stop mail. */
static void write_log(struct relay *relay)
{
	struct log *log = &relay->log;
	size_t length = log->length;

	log->length = 0;
	if (length && write(STDERR_FILENO, log->text, length) < 0) return;
}

static struct log *start_log_line(struct relay *relay, const char *mark)
{
	struct log *log = &relay->log;
	int n;

	if (sizeof log->text - log->length < LOG_LINE) write_log(relay);
	n = snprintf(log->text + log->length, LOG_LINE, "%ld %s ",
		     (long)relay->program_pid, mark);
	log->length += n > 0 ? (size_t)n : 0;
	return log;
}

static void add_bytes(struct log *log, const char *bytes, size_t length)
{
	memcpy(log->text + log->length, bytes, length);
	log->length += length;
}

static void add_text(struct log *log, const char *text)
{
	add_bytes(log, text, strlen(text));
}

static void add_escaped(struct log *log, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		char escaped[4] = { '\\', 'x', digits[byte >> 4],
				    digits[byte & 15] };

		/* A backslash too, or the log would be ambiguous. */
		if (byte < 32 || byte > 126 || byte == '\\')
			add_bytes(log, escaped, sizeof escaped);
		else add_bytes(log, bytes + i, 1);
	}
}

static void end_log_line(struct log *log)
{
	log->text[log->length++] = '\n';
}

/* At most LOG_UNIT bytes, a newline only at their end; those behind `shown`
   are kept back. */
static void log_data(struct relay *relay, const char *mark, const char *bytes,
		     size_t length, size_t shown)
{
	struct log *log = start_log_line(relay, mark);
	bool whole = bytes[length - 1] == '\n';
	bool hides = shown < length;

	if (!hides && whole) shown--;
	if (relay->options.escape) add_escaped(log, bytes, shown);
	else add_bytes(log, bytes, shown);
	if (hides) add_text(log, "(hidden)");
	add_text(log, whole ? " " : "+");
	end_log_line(log);
}

static void log_end_of_input(struct relay *relay, const char *mark)
{
	struct log *log = start_log_line(relay, mark);

	add_text(log, "[EOF]");
	end_log_line(log);
}

static void log_hidden_message(struct relay *relay, const char *ending)
{
	struct log *log;
	char remark[64];

	if (relay->hidden_bytes == 0) return;
	log = start_log_line(relay, relay->from_client.mark);
	snprintf(remark, sizeof remark, "(%lu bytes hidden)%s",
		 relay->hidden_bytes, ending);
	add_text(log, remark);
	end_log_line(log);
	relay->hidden_bytes = 0;
}

/* ---- understanding, as far as an option needs it ---- */

/* Up to a newline, and to the end of a LOG_UNIT counted from the read. */
static size_t piece_length(const struct direction *d)
{
	size_t length = LOG_UNIT - d->logged % LOG_UNIT;
	const char *newline;

	if (length > d->end - d->logged) length = d->end - d->logged;
	newline = memchr(d->data + d->logged, '\n', length);
	if (newline) length = (size_t)(newline - d->data) + 1 - d->logged;
	return length;
}

static void record_client_piece(struct relay *relay, struct direction *d)
{
	const char *bytes = d->data + d->logged;
	struct conversation_piece piece = conversation_client(
		&relay->conversation, bytes, piece_length(d));
	bool in_message = piece.part == CONVERSATION_BODY ||
			  piece.part == CONVERSATION_CHUNK;

	if (!relay->options.hide_auth) piece.shown = piece.length;
	d->logged += piece.length;
	if (in_message && relay->options.hide_messages) {
		relay->hidden_bytes += piece.length;
		if (!conversation_in_message(&relay->conversation))
			log_hidden_message(relay, " ");
	} else log_data(relay, d->mark, bytes, piece.length, piece.shown);
}

static void record_piece(struct relay *relay, struct direction *d)
{
	const char *bytes = d->data + d->logged;
	size_t length = piece_length(d);

	if (relay->follows && d == &relay->from_program) {
		conversation_server(&relay->conversation, bytes, length);
		if (!conversation_in_message(&relay->conversation))
			log_hidden_message(relay, " ");
	}
	d->logged += length;
	log_data(relay, d->mark, bytes, length, length);
}

/* May the client's next bytes pass, or be read at all? */
static bool client_must_wait(const struct relay *relay)
{
	if (relay->phase == TLS_STARTING) return true;
	if (relay->phase == TLS_OFFERED &&
	    relay->conversation.part == CONVERSATION_ENCRYPTED)
		return true;
	return relay->follows && conversation_is_waiting(&relay->conversation);
}

/* The control byte goes last: the TLS process takes the connection when it
   comes, and the program's 220 must be out by then. */
static bool holds_control_byte(struct relay *relay, const struct direction *d)
{
	if (d != &relay->to_control) return false;
	if (relay->phase == TLS_OFFERED &&
	    (d->data[0] == 'y' || d->data[0] == 'Y'))
		relay->phase = TLS_STARTING;
	return relay->phase == TLS_STARTING;
}

/* Logs what has been read, as far as it may pass now. */
static void record(struct relay *relay, struct direction *d)
{
	if (d->logged == d->end || holds_control_byte(relay, d)) return;
	if (!d->mark) d->logged = d->end;
	while (d->logged < d->end) {
		if (d != &relay->from_client || !relay->follows)
			record_piece(relay, d);
		else if (client_must_wait(relay)) return;
		else record_client_piece(relay, d);
	}
}

/* ---- relaying ---- */

static void close_fd(int *fd)
{
	if (*fd != NO_FD) close(*fd);
	*fd = NO_FD;
}

static void close_fds(struct direction *d)
{
	close_fd(&d->in);
	close_fd(&d->out);
}

static void connect_direction(struct direction *d, int in, int out,
			      enum stream_kind kind)
{
	d->in = in;
	d->out = out;
	d->kind = kind;
	d->written = d->logged = d->end = 0;
}

/* Either end of the control socket has gone: the TLS process, or the program,
   which wants no TLS (any more). Both ways are one descriptor. */
static void end_control(struct relay *relay)
{
	connect_direction(&relay->to_control, NO_FD, NO_FD, STREAM_UNKNOWN);
	connect_direction(&relay->from_control, NO_FD, NO_FD, STREAM_UNKNOWN);
	close_fd(&relay->server.control);
	close_fd(&relay->program.control);
	if (relay->phase != TLS_OFFERED) return;
	relay->phase = TLS_ABSENT;
	close_fd(&relay->server.read);
	close_fd(&relay->server.write);
	close_fd(&relay->program.read);
	close_fd(&relay->program.write);
}

/* The relay is there for the program's output; with it, all ends. */
static _Noreturn void end_relay(struct relay *relay)
{
	log_hidden_message(relay, "+");
	write_log(relay);
	_exit(EXIT_DONE);
}

static void end_direction(struct relay *relay, struct direction *d)
{
	if (d == &relay->from_program) end_relay(relay);
	if (!d->mark) {
		end_control(relay);
		return;
	}
	close_fds(d);
	connect_direction(d, NO_FD, NO_FD, STREAM_UNKNOWN);
}

static void write_on(struct relay *relay, struct direction *d)
{
	ssize_t n = stream_write_some(d->out, &d->kind, d->data + d->written,
				      d->logged - d->written);

	if (n < 0) {
		end_direction(relay, d);
		return;
	}
	d->written += (size_t)n;
	if (d->written == d->end) d->written = d->logged = d->end = 0;
}

static bool has_to_write(const struct direction *d)
{
	return d->written < d->logged;
}

/* As much as goes without waiting; a pipe has to be asked by poll first. */
static void pass_on(struct relay *relay, struct direction *d)
{
	record(relay, d);
	write_log(relay);
	if (has_to_write(d) && d->kind != STREAM_PIPE) write_on(relay, d);
}

/* From here on the connection is the TLS process's, and ours is the text on
   the other side of it. */
static void switch_to_tls(struct relay *relay)
{
	close_fds(&relay->from_client);
	close_fds(&relay->from_program);
	connect_direction(&relay->from_client, relay->server.read,
			  relay->program.read, STREAM_NONBLOCKING);
	connect_direction(&relay->from_program, relay->program.write,
			  relay->server.write, STREAM_UNKNOWN);
	conversation_start(&relay->conversation, 0);
	relay->phase = TLS_ON;
	pass_on(relay, &relay->to_control);
}

static void read_more(struct relay *relay, struct direction *d);

/* The program's output has ended. When it has just asked for TLS, only the
   plain one has, and the request lies in the control socket. */
static bool starts_tls(struct relay *relay)
{
	struct direction *control = &relay->to_control;

	if (relay->phase == TLS_OFFERED && control->end == 0 &&
	    deadline_wait(control->in, POLLIN, deadline_in(0)) == 1)
		read_more(relay, control);
	if (relay->phase != TLS_STARTING) return false;
	switch_to_tls(relay);
	return true;
}

static void read_more(struct relay *relay, struct direction *d)
{
	ssize_t n = read(d->in, d->data, sizeof d->data);

	if (n > 0) {
		d->end = (size_t)n;
		pass_on(relay, d);
		return;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
	if (d == &relay->from_program && starts_tls(relay)) return;
	if (d == &relay->from_client) log_hidden_message(relay, "+");
	if (d->mark) log_end_of_input(relay, d->mark);
	end_direction(relay, d);
}

/* ---- the loop ---- */

static struct pollfd watch(const struct relay *relay, const struct direction *d)
{
	struct pollfd watched = { .fd = NO_FD };

	if (has_to_write(d)) {
		watched.fd = d->out;
		watched.events = POLLOUT;
	} else if (d->end == 0 &&
		   (d != &relay->from_client || !client_must_wait(relay))) {
		watched.fd = d->in;
		watched.events = POLLIN;
	}
	return watched;
}

/* The program has asked for TLS, and its plain words are out, as far as they
   have been read; when poll then finds no more of them, there are none. */
static bool all_is_said(const struct relay *relay)
{
	return relay->phase == TLS_STARTING &&
	       !has_to_write(&relay->from_program);
}

/* How long to wait, in poll's milliseconds. */
static int next_timeout(struct relay *relay)
{
	bool waiting =
		relay->follows && conversation_is_waiting(&relay->conversation);

	if (waiting && !relay->was_waiting)
		relay->patience = deadline_in(REPLY_SECONDS);
	relay->was_waiting = waiting;
	if (all_is_said(relay)) return 0;
	return waiting ? deadline_left(relay->patience) : POLL_SECONDS * 1000;
}

static void nothing_happened(struct relay *relay)
{
	if (all_is_said(relay)) switch_to_tls(relay);
	else if (relay->was_waiting) {
		if (deadline_left(relay->patience) == 0)
			conversation_stop_waiting(&relay->conversation);
	} else if (has_to_write(&relay->from_program) &&
		   getppid() != relay->program_pid)
		/* The client has taken nothing for an hour, and the program
		   that would lose patience with it is gone. */
		end_relay(relay);
}

static void serve(struct relay *relay, struct direction *d,
		  const struct pollfd *watched)
{
	if (!watched->revents) return;
	/* One that was served before may have changed this one's ends. */
	if (has_to_write(d)) {
		if (watched->fd == d->out) write_on(relay, d);
	} else if (watched->fd == d->in && d->end == 0) read_more(relay, d);
}

static _Noreturn void run_relay(struct relay *relay)
{
	struct direction *const directions[] = {
		&relay->to_control,
		&relay->from_control,
		&relay->from_program,
		&relay->from_client,
	};
	enum { COUNT = sizeof directions / sizeof directions[0] };

	for (;;) {
		struct pollfd watched[COUNT];
		int ready;

		write_log(relay);
		for (size_t i = 0; i < COUNT; i++)
			watched[i] = watch(relay, directions[i]);
		ready = poll(watched, COUNT, next_timeout(relay));
		if (ready == 0) nothing_happened(relay);
		for (size_t i = 0; ready > 0 && i < COUNT; i++)
			serve(relay, directions[i], &watched[i]);
		/* The reply may have come that the client's bytes wait for. */
		if (relay->from_client.logged < relay->from_client.end)
			pass_on(relay, &relay->from_client);
	}
}

/* ---- the start ---- */

static struct options read_options(int argc, char **argv)
{
	struct options options = { 0 };
	int letter;

	while ((letter = option_next(argc, argv, "abe", synopsis)) != -1) {
		if (letter == 'a') options.hide_auth = true;
		if (letter == 'b') options.hide_messages = true;
		if (letter == 'e') options.escape = true;
	}
	if (!argv[optind]) die_usage(synopsis);
	options.next = argv + optind;
	return options;
}

/* The descriptor that a variable names, if it is open. */
static int fd_from_environment(const char *name)
{
	int fd = parse_descriptor(getenv(name));

	return fcntl(fd, F_GETFD) >= 0 ? fd : NO_FD;
}

/* False when the environment offers no TLS. */
static bool find_tls(struct tls_fds *tls)
{
	tls->control = fd_from_environment("SSLCTLFD");
	tls->read = fd_from_environment("SSLREADFD");
	tls->write = fd_from_environment("SSLWRITEFD");
	if (tls->control == NO_FD || tls->read == NO_FD || tls->write == NO_FD)
		return false;
	/* UCSPI-TLS allows it, but then the reply of the TLS process could not
	   be told from the client's words. */
	if (tls->control == tls->read || tls->control == tls->write ||
	    tls->read == tls->write)
		die_permanent("SSLCTLFD, SSLREADFD and SSLWRITEFD name the "
			      "same descriptor");
	return true;
}

static void make_pipe(int *read_end, int *write_end)
{
	if (relay_pipe(read_end, write_end) < 0)
		die_temporary("unable to create pipe:");
}

static void make_control_socket(int *one_end, int *other_end)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		die_temporary("unable to create pipe:");
	*one_end = relay_keep_off_standard(ends[0]);
	*other_end = relay_keep_off_standard(ends[1]);
	if (*one_end < 0 || *other_end < 0)
		die_temporary("unable to create pipe:");
}

static _Noreturn void start_relay(struct relay *relay, int to_program,
				  int from_program)
{
	int kept[] = { to_program,
		       from_program,
		       relay->server.control,
		       relay->server.read,
		       relay->server.write,
		       relay->program.control,
		       relay->program.read,
		       relay->program.write };
	bool offers_tls = relay->phase == TLS_OFFERED;

	signal(SIGPIPE, SIG_IGN);
	relay_keep_only(kept, offers_tls ? sizeof kept / sizeof kept[0] : 2);
	relay->from_client.mark = "<";
	relay->from_program.mark = ">";
	connect_direction(&relay->from_client, STDIN_FILENO, to_program,
			  STREAM_NONBLOCKING);
	relay_make_nonblocking(to_program);
	connect_direction(&relay->from_program, from_program, STDOUT_FILENO,
			  STREAM_UNKNOWN);
	connect_direction(&relay->to_control, relay->program.control,
			  relay->server.control, STREAM_UNKNOWN);
	connect_direction(&relay->from_control, relay->server.control,
			  relay->program.control, STREAM_UNKNOWN);
	if (offers_tls) relay_make_nonblocking(relay->program.read);
	conversation_start(&relay->conversation, 1);
	run_relay(relay);
}

static void move_fd(int from, int to)
{
	if (dup2(from, to) < 0) die_temporary("unable to move descriptors:");
}

int main(int argc, char **argv)
{
	static struct relay relay; /* too large for the stack */
	struct tls_fds program;    /* the program's ends */
	int input, to_program, from_program, output;
	pid_t child;

	program_name = "recordio";
	relay.options = read_options(argc, argv);
	relay.server = relay.program = (struct tls_fds){ NO_FD, NO_FD, NO_FD };
	if (find_tls(&relay.server)) relay.phase = TLS_OFFERED;
	relay.follows = relay.options.hide_auth ||
			relay.options.hide_messages ||
			relay.phase == TLS_OFFERED;
	relay.program_pid = getpid();
	make_pipe(&input, &to_program);
	make_pipe(&from_program, &output);
	if (relay.phase == TLS_OFFERED) {
		make_control_socket(&program.control, &relay.program.control);
		make_pipe(&program.read, &relay.program.read);
		make_pipe(&relay.program.write, &program.write);
	}
	child = _Fork(); /* no threads, no handlers to run */
	if (child < 0) die_temporary("unable to fork:");
	if (child == 0) start_relay(&relay, to_program, from_program);
	move_fd(input, STDIN_FILENO);
	move_fd(output, STDOUT_FILENO);
	if (relay.phase == TLS_OFFERED) {
		/* Under the numbers that the variables name. */
		move_fd(program.control, relay.server.control);
		move_fd(program.read, relay.server.read);
		move_fd(program.write, relay.server.write);
	}
	process_run_next(relay.options.next);
}

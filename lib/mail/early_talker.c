/* SPDX-License-Identifier: ISC */
#include "mail/early_talker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/connection.h"
#include "system/stream.h"

enum {
	DROP_SECONDS = 1,   /* the wait when dropping, if none is set */
	REPLY_SECONDS = 10, /* for the 554 */
	LEAVE_SECONDS = 2,  /* for the client to take it and hang up */
};

static const char reply[] = "554 " EARLY_TALKER_TEXT "\r\n";

struct early_talker early_talker_from_environment(void)
{
	struct early_talker talker = { 0 };

	parse_leading_number(getenv("GREETDELAY"), &talker.seconds);
	if (talker.seconds > EARLY_TALKER_MOST_SECONDS)
		talker.seconds = EARLY_TALKER_MOST_SECONDS;
	talker.drop = parse_flag(getenv("DROP_PRE_GREET"));
	return talker;
}

void early_talker_clear_environment(void)
{
	unsetenv("GREETDELAY");
	unsetenv("DROP_PRE_GREET");
}

void early_talker_settle(struct early_talker *talker)
{
	const char *verdict = getenv("RBLSMTPD");

	if (talker->drop && talker->seconds == 0)
		talker->seconds = DROP_SECONDS;
	if (getenv("RELAYCLIENT") || (verdict && !*verdict))
		*talker = (struct early_talker){ 0 };
}

short early_talker_events(const struct early_talker *talker)
{
	return talker->drop ? POLLIN | POLLRDHUP : POLLRDHUP;
}

enum early_talker_sign early_talker_look(int fd, short found)
{
	char byte;
	int waiting = 0;
	ssize_t n;

	if (!found) return EARLY_TALKER_WAITS;
	if (!(found & POLLIN)) return EARLY_TALKER_CLOSED;
	n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0) return EARLY_TALKER_SPOKE;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return EARLY_TALKER_WAITS;
	if (n < 0 && errno == ENOTSOCK && ioctl(fd, FIONREAD, &waiting) == 0 &&
	    waiting > 0)
		return EARLY_TALKER_SPOKE;
	return EARLY_TALKER_CLOSED;
}

enum early_talker_sign early_talker_wait(const struct early_talker *talker,
					 int fd)
{
	struct pollfd watched = { .fd = fd,
				  .events = early_talker_events(talker) };
	deadline end = deadline_in(talker->seconds);
	enum early_talker_sign sign;
	int left, ready;

	do {
		left = deadline_left(end);
		ready = poll(&watched, 1, left);
		sign = ready > 0 ? early_talker_look(fd, watched.revents)
				 : EARLY_TALKER_WAITS;
		if (ready == 0 || (ready < 0 && errno != EINTR)) break;
	} while (sign == EARLY_TALKER_WAITS && left > 0);
	return sign;
}

void early_talker_log(const char *name, enum early_talker_sign sign)
{
	const char *ip = connection_from_environment().remote_ip;
	const char *own_name = program_name;
	char printable_ip[64], prefix[64];

	snprintf(prefix, sizeof prefix, "%s[%ld]", name, (long)getpid());
	program_name = prefix;
	note("before greeting: [%s] client %s",
	     printable_text(printable_ip, sizeof printable_ip,
			    ip ? ip : "unknown"),
	     sign == EARLY_TALKER_SPOKE ? "sent data" : "disconnected");
	program_name = own_name;
}

void early_talker_refuse(int in, int out)
{
	char room[sizeof reply];
	struct stream_out to_client = { .fd = out,
					.seconds = REPLY_SECONDS,
					.data = room,
					.size = sizeof room };

	signal(SIGPIPE, SIG_IGN);
	if (stream_put_text(&to_client, reply) < 0 ||
	    stream_flush(&to_client) < 0)
		return;
	stream_shut(out);
	stream_drain(in, deadline_in(LEAVE_SECONDS));
}

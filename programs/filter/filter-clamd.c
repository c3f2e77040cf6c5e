/* filter-clamd: has clamd look at a message for viruses, and refuses what it finds.
   Where both are on one machine clamd is given the message's file itself, so that
   not a byte of it is copied.
   What clamd says is OK, FOUND or something else, and that is no verdict: an error
   or a time-out lets nothing pass and refuses nobody's mail for ever.
   SPDX-License-Identifier: ISC */

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "mail/clamd.h"
#include "mail/filter.h"
#include "mail/scanner.h"

static const char synopsis[] = FILTER_SYNOPSIS " [ -dl ] [ next [ args ... ] ]";

static const char usual_socket[] = "/var/run/clamav/clamd.ctl";

#define REPLY_VIRUS "DYour email was rejected because it contains the %s virus"
#define REPLY_LIMITED                                                          \
	"DYour email cannot be scanned for viruses within the limits here "    \
	"(#5.7.1)"

enum {
	USUAL_PORT = 3310,
	/* A message in memory that is longer becomes a file before it is scanned,
	   not after it: from here on that is less work for both. */
	WORTH_A_FILE = 16384,
};

struct scan {
	struct filter filter;
	bool passes_limited; /* -l: clamd's limits let a message pass */
	bool drops;          /* -d: what is found is taken, and thrown away */

	struct scanner clamd;
	struct clamd_reply reply;
};

/* ---- the question ---- */

/* clamd and the next stage would move one offset if they had one open file, so
   clamd gets its own, which it cannot write to. -1: there is none. */
static int open_for_clamd(const struct filter *filter)
{
	const struct stage_message *message = &filter->stage.message;

	/* It looks at files from their beginning on. */
	if (*filter->socket != '/' || message->bytes || message->start != 0)
		return -1;
	return stage_message_open(message);
}

static int send_descriptor(struct scanner *clamd, int file)
{
	/* The descriptor comes with the byte behind the command. */
	static char command[] = "zFILDES\0";
	struct iovec bytes = { command, sizeof command };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control = { { 0 } };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof file);
	memcpy(CMSG_DATA(header), &file, sizeof file);
	/* Who hangs up may have said why. */
	if (sendmsg(clamd->fd, &message, MSG_NOSIGNAL) >= 0 || errno == EPIPE ||
	    errno == ECONNRESET)
		return 0;
	return scanner_cannot(clamd, QUEUE_TRY_AGAIN, "send to");
}

static void append_length(struct str *into, size_t length)
{
	uint32_t number = htonl((uint32_t)length);

	str_append(into, &number, sizeof number);
}

/* The whole message is one chunk; one of no bytes is the end. */
static int send_stream(struct scan *scan)
{
	const struct stage_message *message = &scan->filter.stage.message;
	struct str head = { 0 }, tail = { 0 };
	int result;

	str_append(&head, "zINSTREAM", sizeof "zINSTREAM");
	if (message->size > 0) append_length(&head, message->size);
	append_length(&tail, 0);
	result = scanner_ask(&scan->clamd, &head, message, &tail);
	str_free(&tail);
	str_free(&head);
	return result;
}

/* ---- the answer ---- */

static int hear(struct scan *scan)
{
	struct str answer = { 0 };
	ssize_t heard;

	do heard = scanner_hear(&scan->clamd, &answer, CLAMD_REPLY_LIMIT);
	while (heard > 0 && !clamd_is_whole(answer.data, answer.length));
	if (heard >= 0) {
		clamd_parse(answer.data, answer.length, &scan->reply);
		filter_debug(&scan->filter, 2, "clamd: %s", scan->reply.text);
	}
	str_free(&answer);
	return heard < 0 ? -1 : 0;
}

/* Asks with the file, or, when that is -1, with a stream. */
static int ask(struct scan *scan, int file)
{
	struct scanner *clamd = &scan->clamd;
	int result = scanner_connect(clamd);

	if (result < 0) return -1;
	result = file >= 0 ? send_descriptor(clamd, file) : send_stream(scan);
	if (result == 0) result = hear(scan);
	scanner_hang_up(clamd);
	return result;
}

/* Some clamds take no descriptors: they were told not to, or something between us
   keeps them. An answer about the file begins with "fd". */
static bool wants_a_stream(const struct scan *scan)
{
	return scan->reply.verdict == CLAMD_FAILED && scan->reply.text[0] &&
	       strncmp(scan->reply.text, "fd", 2) != 0;
}

static int find_reply(struct scan *scan)
{
	int file = open_for_clamd(&scan->filter);

	if (file >= 0) {
		int result = ask(scan, file);

		close(file);
		if (result < 0 || !wants_a_stream(scan)) return result;
	}
	return ask(scan, -1);
}

/* ---- what comes of it ---- */

static enum queue_exit_code refuse(struct scan *scan, const char *text)
{
	struct filter *filter = &scan->filter;
	const char *name = scan->reply.text;

	if (scan->drops) return filter_drop(filter, "VIRUS DROPPED", name);
	return filter_refuse(filter, "VIRUS", name, text);
}

static enum queue_exit_code no_verdict(struct scan *scan)
{
	return filter_no_verdict(&scan->filter, scan->clamd.code,
				 scan->clamd.reason);
}

static enum queue_exit_code follow(struct scan *scan)
{
	struct filter *filter = &scan->filter;
	char text[STAGE_TEXT_LIMIT + 1];

	switch (scan->reply.verdict) {
	case CLAMD_CLEAN: return filter_pass(filter, "CLEAN", NULL);
	case CLAMD_FOUND:
		snprintf(text, sizeof text, REPLY_VIRUS, scan->reply.text);
		return refuse(scan, text);
	case CLAMD_LIMITED:
		if (!scan->passes_limited) return refuse(scan, REPLY_LIMITED);
		return filter_pass_unscanned(filter, scan->reply.text);
	case CLAMD_TOO_LARGE:
		return filter_pass_unscanned(filter, "too long for clamd");
	case CLAMD_FAILED: break;
	}
	scanner_is_wrong(&scan->clamd, "says",
			 scan->reply.text[0] ? scan->reply.text : "nothing");
	return no_verdict(scan);
}

static enum queue_exit_code look(struct scan *scan)
{
	struct filter *filter = &scan->filter;
	struct stage_message *message = &filter->stage.message;

	if (!simcontrol_wants(&filter->control, filter->control.clam))
		return filter_pass(filter, "SKIPPED", "clam=no");
	if (filter_is_too_long(filter) || message->size > UINT32_MAX)
		return filter_pass_unscanned(filter, "too long");
	if (message->bytes && *filter->socket == '/' &&
	    message->size >= WORTH_A_FILE && stage_message_give(message) < 0)
		return filter_fail(filter, QUEUE_CANNOT_WRITE,
				   "cannot store the message");
	scan->clamd.end = filter->end;
	return find_reply(scan) < 0 ? no_verdict(scan) : follow(scan);
}

int main(int argc, char **argv)
{
	struct scan scan = { .clamd = { .name = "clamd",
					.usual_port = USUAL_PORT } };
	enum queue_exit_code code;
	int letter;

	program_name = "filter-clamd";
	filter_start(&scan.filter, "CLAMD_SOCKET", usual_socket);
	while ((letter = option_next(argc, argv, FILTER_LETTERS "dl",
				     synopsis)) != -1)
		if (letter == 'd') scan.drops = true;
		else if (letter == 'l') scan.passes_limited = true;
		else filter_option(&scan.filter, letter, synopsis);
	scan.filter.next = argv + optind;
	scanner_set_place(&scan.clamd, scan.filter.socket);
	code = filter_take(&scan.filter);
	if (code == QUEUE_DONE) code = look(&scan);
	return (int)code;
}

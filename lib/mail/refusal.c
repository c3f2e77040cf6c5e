/* SPDX-License-Identifier: ISC */
#include "mail/refusal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "system/deadline.h"
#include "system/stream.h"

enum {
	INPUT_ROOM = 4096,
	OUTPUT_ROOM = 4096,
	LEAVE_SECONDS = 2, /* for a client that is told to go, to go */
};

struct talk {
	const struct refusal *refusal;
	struct stream_in in;
	struct stream_out out;
	struct refusal_line line;
	unsigned long recipients;
	enum refusal_end end; /* once it is over */
};

/* The CR before the LF goes, if it is there: one, and only as the last byte. */
static void finish_line(struct refusal_line *line)
{
	static const char more[] = "...";

	line->is_whole = true;
	if (line->is_cut)
		memcpy(line->text + sizeof line->text - sizeof more, more,
		       sizeof more);
	else if (line->length > 0 && line->text[line->length - 1] == '\r')
		line->length--;
	for (size_t i = 0; i < line->length; i++)
		if (line->text[i] < 32 || line->text[i] > 126)
			line->text[i] = '?';
	line->text[line->length] = '\0';
}

bool refusal_line_take(struct refusal_line *line, const char **at,
		       const char *end)
{
	size_t waiting = (size_t)(end - *at);
	const char *newline = waiting ? memchr(*at, '\n', waiting) : NULL;
	size_t taken = newline ? (size_t)(newline - *at) : waiting;
	size_t kept;

	if (line->is_whole) {
		line->length = 0;
		line->is_cut = line->is_whole = false;
	}
	kept = sizeof line->text - 1 - line->length;
	if (kept < taken) line->is_cut = true;
	else kept = taken;
	memcpy(line->text + line->length, *at, kept);
	line->length += kept;
	*at += taken;
	if (!newline) return false;
	++*at;
	finish_line(line);
	return true;
}

enum refusal_answer refusal_answer(const struct refusal *refusal,
				   const struct refusal_line *line)
{
	static const struct {
		char verb[5];
		enum refusal_answer answer;
	} verbs[] = {
		{ "HELO", REFUSAL_ANSWER_WELCOME },
		{ "EHLO", REFUSAL_ANSWER_WELCOME },
		{ "MAIL", REFUSAL_ANSWER_WELCOME },
		{ "RSET", REFUSAL_ANSWER_WELCOME },
		{ "RCPT", REFUSAL_ANSWER_RECIPIENT },
		{ "QUIT", REFUSAL_ANSWER_FAREWELL },
		{ "NOOP", REFUSAL_ANSWER_WELCOME },
	};
	size_t count = sizeof verbs / sizeof *verbs;
	size_t length = strcspn(line->text, " ");

	if (!refusal->noop_is_welcome) count--;
	for (size_t i = 0; i < count; i++)
		if (parse_same_word(line->text, length, verbs[i].verb))
			return verbs[i].answer;
	return REFUSAL_ANSWER_REFUSE;
}

static void tell(const struct refusal *refusal, enum refusal_event event,
		 const char *line)
{
	if (refusal->callback) refusal->callback(refusal->context, event, line);
}

static void tell_what_is_said(const struct talk *talk, const char *code,
			      const char *text)
{
	char line[REFUSAL_LINE];
	size_t length;

	printable_text(line, sizeof line, code);
	length = strlen(line);
	printable_text(line + length, sizeof line - length, text);
	tell(talk->refusal, REFUSAL_SAID, line);
}

static bool fail(struct talk *talk)
{
	talk->end = errno == ETIMEDOUT ? REFUSAL_TIMEOUT : REFUSAL_CLOSED;
	return false;
}

/* False, like the ones below: it is over. */
static bool flush(struct talk *talk)
{
	return stream_flush(&talk->out) == 0 || fail(talk);
}

static bool say(struct talk *talk, const char *code, const char *text)
{
	if (talk->refusal->callback) tell_what_is_said(talk, code, text);
	return (stream_put_text(&talk->out, code) == 0 &&
		stream_put_text(&talk->out, text) == 0 &&
		stream_put_text(&talk->out, "\r\n") == 0) ||
	       fail(talk);
}

static bool say_goodbye(struct talk *talk, enum refusal_end end,
			const char *code, const char *text)
{
	if (say(talk, code, text) && flush(talk)) talk->end = end;
	return false;
}

static bool refuse_recipient(struct talk *talk)
{
	const struct refusal *refusal = talk->refusal;

	if (++talk->recipients != refusal->recipients)
		return say(talk, "", refusal->text);
	tell(refusal, REFUSAL_HANGUP, talk->line.text);
	return say_goodbye(talk, REFUSAL_TOO_MANY_RECIPIENTS, "",
			   refusal->too_many);
}

static bool answer(struct talk *talk)
{
	const struct refusal *refusal = talk->refusal;

	tell(refusal, REFUSAL_HEARD, talk->line.text);
	switch (refusal_answer(refusal, &talk->line)) {
	case REFUSAL_ANSWER_WELCOME:
		return say(talk, "250 ", refusal->greeting);
	case REFUSAL_ANSWER_RECIPIENT: return refuse_recipient(talk);
	case REFUSAL_ANSWER_FAREWELL:
		return say_goodbye(talk, REFUSAL_QUIT, "221 ",
				   refusal->greeting);
	case REFUSAL_ANSWER_REFUSE: break;
	}
	return say(talk, "", refusal->text);
}

/* What is said from now on is said if there is room for it. */
static void stop_waiting(struct talk *talk)
{
	talk->out.until = 0;
	talk->out.seconds = 0;
}

/* Only when it was our turn to wait: what a client that reads nothing has not
   taken ends anywhere in a line. */
static void say_last_word(struct talk *talk)
{
	const char *text = talk->refusal->last_word;

	stop_waiting(talk);
	if (text) say_goodbye(talk, REFUSAL_TIMEOUT, "", text);
	talk->end = REFUSAL_TIMEOUT;
}

/* Waits for input, answers it, and has all answers on their way. */
static bool take_turn(struct talk *talk)
{
	struct stream_in *in = &talk->in;
	const char *at, *end;
	ssize_t n = stream_fill(in);

	if (n <= 0) {
		if (n < 0) fail(talk);
		if (talk->end == REFUSAL_TIMEOUT) say_last_word(talk);
		return false;
	}
	at = in->data + in->start;
	end = in->data + in->end;
	in->start = in->end;
	while (refusal_line_take(&talk->line, &at, end))
		if (!answer(talk)) return false;
	return flush(talk);
}

/* Whoever has to go may be in the middle of a sentence. */
static void leave(struct talk *talk)
{
	deadline gone = deadline_in(LEAVE_SECONDS);
	deadline end = talk->in.until;

	if (end != DEADLINE_NEVER && end < gone) gone = end;
	stream_shut(talk->out.fd);
	stream_drain(talk->in.fd, gone);
}

enum refusal_end refusal_hold(const struct refusal *refusal, int in, int out)
{
	deadline until = deadline_in(refusal->seconds);
	char input[INPUT_ROOM], output[OUTPUT_ROOM];
	struct talk talk = { .refusal = refusal,
			     .in = { .fd = in,
				     .until = until,
				     .data = input,
				     .size = sizeof input },
			     .out = { .fd = out,
				      .until = until,
				      .data = output,
				      .size = sizeof output },
			     .end = REFUSAL_CLOSED };

	signal(SIGPIPE, SIG_IGN);
	if (refusal->seconds == 0) {
		stop_waiting(&talk);
		say_goodbye(&talk, REFUSAL_TOLD, "", refusal->text);
	} else if (say(&talk, "220 ", refusal->greeting) && flush(&talk)) {
		while (take_turn(&talk)) continue;
	}
	if (talk.end == REFUSAL_TOO_MANY_RECIPIENTS) leave(&talk);
	else if (talk.end == REFUSAL_QUIT || talk.end == REFUSAL_TOLD)
		stream_drain(in, 0);
	return talk.end;
}

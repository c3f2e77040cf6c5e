/* filter-rspamd: asks rspamd about a message over HTTP, and does what it says:
   lets it pass, marks it, rewrites its subject, refuses it, has the client come
   back, or drops it; fields and signatures that rspamd adds are added.
   rspamd is told what smtpd knows, by way of the environment. The name of HELO is
   not in there: it is read off the Received field that smtpd has put on top.
   SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "mail/filter.h"
#include "mail/header_edit.h"
#include "mail/rspamd.h"
#include "mail/scanner.h"
#include "mail/spam_score.h"

static const char synopsis[] = FILTER_SYNOPSIS " [ -ag ] [ next [ args ... ] ]";

static const char usual_socket[] = "127.0.0.1:11333";

#define REPLY_REJECT "Spam message rejected"
#define REPLY_LATER "Try again later"
#define REPLY_HITS "DYour email is considered spam (%s spam-hits)"

/* What says that a message is spam; nobody else may have said so. */
static const char mark[] = "X-Spam", score_mark[] = "X-Rspamd-Score";

enum {
	USUAL_PORT = 11333,
	USUAL_LIMIT = 50 * 1024 * 1024, /* rspamd's own max_message */
	VALUE_LIMIT = 1024, /* bytes of a field that rspamd is sent */
	/* rspamd closes on a header of more than 80 KiB. */
	RECIPIENTS_LIMIT = 64 * 1024,
	SUBJECT_LIMIT = 200,
	MESSAGE_CUT = 200, /* bytes of rspamd's text for the client */
};

struct scan {
	struct filter filter;
	bool asks_about_all;    /* -a: also about our own users' mail */
	bool defers_greylisted; /* -g: rspamd does not do it by itself */

	char subject[SUBJECT_LIMIT + 1];
	struct scanner rspamd;
	struct rspamd_reply reply;
};

/* ---- the question ---- */

static void append_field(struct str *head, const char *name, const char *value,
			 size_t length)
{
	if (length > VALUE_LIMIT) length = VALUE_LIMIT;
	str_append_text(head, name);
	str_append_text(head, ": ");
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)value[i];

		str_append_byte(head,
				byte < ' ' || byte == 127 ? '?' : value[i]);
	}
	str_append_text(head, "\r\n");
}

static void append_text(struct str *head, const char *name, const char *value)
{
	if (value && *value) append_field(head, name, value, strlen(value));
}

static void append_number(struct str *head, const char *name, size_t number)
{
	str_append_text(head, name);
	str_append_text(head, ": ");
	str_append_number(head, number);
	str_append_text(head, "\r\n");
}

static void append_envelope(struct str *head, const struct envelope *envelope)
{
	const char *recipient = NULL;
	size_t end = head->length + RECIPIENTS_LIMIT;

	append_text(head, "From",
		    envelope->sender[0] ? envelope->sender : "<>");
	while ((recipient = envelope_next(envelope, recipient)))
		if (head->length + strlen(recipient) + 16 < end)
			append_text(head, "Rcpt", recipient);
}

/* "from HOST (HELO NAME) (IP)", where a name that is HOST's is left out. The field
   is our server's when the client's address is in it. */
static void append_helo(struct str *head, const struct header_edit *header)
{
	const char *ip = getenv("TCPREMOTEIP"), *at, *end;
	size_t length;

	at = header_edit_value(header, "Received", 1, &length);
	if (!at || !ip || !*ip || !memmem(at, length, ip, strlen(ip))) return;
	end = memchr(at, '\n', length);
	if (!end) end = at + length;
	if (end - at < 5 || memcmp(at, "from ", 5) != 0) return;
	at += 5;
	for (const char *word = at; end - word > 7; word++)
		if (memcmp(word, " (HELO ", 7) == 0) at = word + 7;
	length = 0;
	while (at + length < end && at[length] != ' ' && at[length] != ')')
		length++;
	if (length > 0) append_field(head, "Helo", at, length);
}

static void make_question(const struct scan *scan, struct str *head)
{
	static const char *const variables[][2] = {
		{ "IP", "TCPREMOTEIP" },
		{ "Hostname", "TCPREMOTEHOST" },
		{ "User", "SMTP_AUTH_USER" },
		{ "MTA-Name", "TCPLOCALHOST" },
		{ "MTA-Tag", "RSPAMD_TAG" },
		{ "Settings-ID", "RSPAMD_SETTINGS_ID" },
		{ "TLS-Cipher", "SSL_CIPHER" },
		{ "TLS-Version", "SSL_PROTOCOL" },
	};
	const struct filter *filter = &scan->filter;

	str_append_text(head, "POST /checkv2 HTTP/1.0\r\n");
	append_number(head, "Content-Length", filter->stage.message.size);
	append_number(head, "Queue-Id", (size_t)getpid());
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		append_text(head, variables[i][0], getenv(variables[i][1]));
	append_helo(head, &filter->header);
	append_text(head, "Deliver-To", filter->control.spamuser);
	append_envelope(head, &filter->stage.envelope);
	str_append_text(head, "\r\n");
}

/* ---- the answer ---- */

static int hear(struct scan *scan)
{
	struct scanner *rspamd = &scan->rspamd;
	struct str answer = { 0 };
	ssize_t heard;
	int result = -1;

	do heard = scanner_hear(rspamd, &answer, RSPAMD_REPLY_LIMIT);
	while (heard > 0 && !rspamd_is_whole(answer.data, answer.length));
	if (heard >= 0)
		result = rspamd_parse(answer.data, answer.length, &scan->reply)
				 ? 0
				 : scanner_is_wrong(rspamd, "gives",
						    scan->reply.text);
	if (result == 0)
		filter_debug(&scan->filter, 2, "rspamd: %s",
			     scan->reply.action_name);
	str_free(&answer);
	return result;
}

static int ask(struct scan *scan)
{
	static const struct str nothing;
	struct scanner *rspamd = &scan->rspamd;
	struct str head = { 0 };
	int result;

	rspamd->end = scan->filter.end;
	if (scanner_connect(rspamd) < 0) return -1;
	make_question(scan, &head);
	result = scanner_ask(rspamd, &head, &scan->filter.stage.message,
			     &nothing);
	if (result == 0) result = hear(scan);
	str_free(&head);
	scanner_hang_up(rspamd);
	return result;
}

/* ---- what comes of it ---- */

static const char *state(const struct scan *scan, const char *word)
{
	static struct str text;

	str_clear(&text);
	spam_score_append_state(&text, word, scan->reply.score,
				scan->reply.required, scan->reply.reject);
	return text.data;
}

/* The text is rspamd's, as far as it fits with its code; the rest is cut off and
   made printable where it is sent. */
static const char *reply_text(const struct scan *scan, const char *otherwise,
			      const char *code, char room[STAGE_TEXT_LIMIT])
{
	const char *text = scan->reply.message;

	if (!text || !*text) text = otherwise;
	snprintf(room, STAGE_TEXT_LIMIT, "%c%.*s (#%s)",
		 *code == '5' ? 'D' : 'Z', MESSAGE_CUT, text, code);
	return room;
}

static void add_score(struct scan *scan)
{
	struct str text = { 0 };

	spam_score_append(&text, scan->reply.score);
	str_append_text(&text, " / ");
	spam_score_append(&text, scan->reply.reject);
	header_edit_add(&scan->filter.header, HEADER_TOP, score_mark, text.data,
			text.length);
	str_free(&text);
}

/* False: nobody is left to get it. */
static bool apply_envelope(struct scan *scan)
{
	struct stage *stage = &scan->filter.stage;
	struct str envelope = { 0 };
	size_t before = stage->envelope.recipient_count;

	if (rspamd_edit_envelope(&scan->reply, &stage->envelope, &envelope))
		stage_set_envelope(stage, &envelope);
	str_free(&envelope);
	return before == 0 || stage->envelope.recipient_count > 0;
}

/* With rspamd's changes. */
static enum queue_exit_code pass_edited(struct scan *scan, const char *word,
					bool is_spam)
{
	struct header_edit *header = &scan->filter.header;
	const char *subject = scan->reply.subject;

	rspamd_edit_header(&scan->reply, header, is_spam ? mark : NULL);
	if (scan->reply.action == RSPAMD_REWRITE_SUBJECT && subject)
		header_edit_replace(header, "Subject", subject,
				    strlen(subject));
	if (is_spam || scan->reply.action == RSPAMD_REWRITE_SUBJECT)
		add_score(scan);
	if (!apply_envelope(scan))
		return filter_drop(&scan->filter, state(scan, "DROPPED"),
				   scan->subject);
	return filter_pass(&scan->filter, state(scan, word), scan->subject);
}

static enum queue_exit_code refuse(struct scan *scan, const char *text)
{
	if (scan->filter.control.spam_passthru == SIMCONTROL_YES)
		return pass_edited(scan, "PASSTHRU", true);
	return filter_refuse(&scan->filter, state(scan, "SPAM REJECT"),
			     scan->subject, text);
}

/* simcontrol's spam_hits. */
static enum queue_exit_code refuse_hits(struct scan *scan)
{
	char text[STAGE_TEXT_LIMIT];
	struct str score = { 0 };

	spam_score_append(&score, scan->reply.score);
	snprintf(text, sizeof text, REPLY_HITS, score.data);
	str_free(&score);
	scan->reply.reject = scan->filter.control.spam_hits;
	return refuse(scan, text);
}

static enum queue_exit_code defer(struct scan *scan, const char *word)
{
	char text[STAGE_TEXT_LIMIT];

	return filter_defer(&scan->filter, state(scan, word), scan->subject,
			    reply_text(scan, REPLY_LATER, "4.7.1", text));
}

/* Without a place for it, it is better marked than lost. */
static enum queue_exit_code quarantine(struct scan *scan)
{
	if (!scan->filter.quarantine)
		return pass_edited(scan, "QUARANTINE", true);
	return filter_drop(&scan->filter, state(scan, "QUARANTINE"),
			   scan->subject);
}

static enum queue_exit_code follow(struct scan *scan)
{
	const struct simcontrol *control = &scan->filter.control;
	char text[STAGE_TEXT_LIMIT];

	if (control->has_spam_hits && scan->reply.score >= control->spam_hits)
		return refuse_hits(scan);
	switch (scan->reply.action) {
	case RSPAMD_REJECT:
		return refuse(scan,
			      reply_text(scan, REPLY_REJECT, "5.7.1", text));
	case RSPAMD_SOFT_REJECT: return defer(scan, "SOFT REJECT");
	case RSPAMD_GREYLIST:
		if (scan->defers_greylisted) return defer(scan, "GREYLIST");
		return pass_edited(scan, "GREYLIST", false);
	case RSPAMD_DISCARD:
		return filter_drop(&scan->filter, state(scan, "SPAM DROPPED"),
				   scan->subject);
	case RSPAMD_QUARANTINE: return quarantine(scan);
	case RSPAMD_ADD_HEADER: return pass_edited(scan, "SPAM PASS", true);
	case RSPAMD_REWRITE_SUBJECT:
		return pass_edited(scan, "SPAM PASS", false);
	case RSPAMD_NO_ACTION: break;
	case RSPAMD_UNKNOWN:
		filter_debug(&scan->filter, 0,
			     "rspamd's action is not known: %s",
			     scan->reply.action_name);
		break;
	}
	return pass_edited(scan, "CLEAN", false);
}

/* ---- the story ---- */

/* Takes it in, without the marks that it has no right to. */
static enum queue_exit_code take_header(struct scan *scan)
{
	struct header_edit *header = &scan->filter.header;
	enum queue_exit_code code = filter_take_header(&scan->filter);
	const char *subject;
	size_t length;

	if (code != QUEUE_DONE) return code;
	subject = header_edit_value(header, "Subject", 1, &length);
	if (subject)
		snprintf(scan->subject, sizeof scan->subject, "%.*s",
			 length > SUBJECT_LIMIT ? SUBJECT_LIMIT : (int)length,
			 subject);
	header_edit_remove(header, mark, HEADER_ALL);
	header_edit_remove(header, score_mark, HEADER_ALL);
	return QUEUE_DONE;
}

static enum queue_exit_code look(struct scan *scan)
{
	struct filter *filter = &scan->filter;
	const struct simcontrol *control = &filter->control;
	enum queue_exit_code code = take_header(scan);

	if (code != QUEUE_DONE) return code;
	if (!simcontrol_wants(control, control->spam))
		return filter_pass(filter, "SKIPPED", "spam=no");
	if (filter_trusts_client() && !scan->asks_about_all)
		return filter_pass(filter, "RELAYCLIENT", scan->subject);
	if (control->has_size_limit) filter->limit = control->size_limit;
	if (filter_is_too_long(filter))
		return filter_pass_unscanned(filter, "too long");
	if (ask(scan) == 0) return follow(scan);
	return filter_no_verdict(filter, scan->rspamd.code,
				 scan->rspamd.reason);
}

int main(int argc, char **argv)
{
	struct scan scan = { .filter.limit = USUAL_LIMIT,
			     .rspamd = { .name = "rspamd",
					 .usual_port = USUAL_PORT } };
	enum queue_exit_code code;
	int letter;

	program_name = "filter-rspamd";
	filter_start(&scan.filter, "RSPAMD_SOCKET", usual_socket);
	while ((letter = option_next(argc, argv, FILTER_LETTERS "ag",
				     synopsis)) != -1)
		if (letter == 'a') scan.asks_about_all = true;
		else if (letter == 'g') scan.defers_greylisted = true;
		else filter_option(&scan.filter, letter, synopsis);
	scan.filter.next = argv + optind;
	scanner_set_place(&scan.rspamd, scan.filter.socket);
	code = filter_take(&scan.filter);
	if (code == QUEUE_DONE) code = look(&scan);
	return (int)code;
}

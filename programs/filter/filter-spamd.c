/* filter-spamd: has SpamAssassin's spamd judge a message, marks it with the fields
   that spamd would give it, and refuses it over a score.
   Only X-Spam-* fields and the Subject are taken from spamd's answer: the message
   stays the client's, byte for byte, and what it brought of such fields itself is
   removed, also when nobody is asked.
   SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "mail/filter.h"
#include "mail/header_edit.h"
#include "mail/scanner.h"
#include "mail/spam_score.h"
#include "mail/spamd.h"

static const char synopsis[] = FILTER_SYNOPSIS
	" [ -cd ] [ -R score ] [ -u user ] [ next [ args ... ] ]";

static const char usual_socket[] = "127.0.0.1:783";
static const char mark_names[] = "X-Spam-*";

#define REPLY_SPAM "DYour email is considered spam (%s spam-hits)"

enum {
	USUAL_PORT = 783,
	USUAL_LIMIT = 512 * 1024, /* longer spam is rare, and spamd is slow */
	ANSWER_LIMIT = SPAMD_HEAD_LIMIT + SPAMD_BODY_LIMIT,
	MARK_LIMIT = 16384,  /* bytes of one field; longer ones are left out */
	MARKS_LIMIT = 65536, /* bytes of all */
	MARK_COUNT = 100,
};

struct scan {
	struct filter filter;
	bool only_judges; /* -c: no fields */
	bool drops;       /* -d: what is refused is taken, and thrown away */
	long level;       /* -R, or the domain's own */
	const char *user; /* -u, or the domain's own; NULL: spamd's usual one */

	struct str subject; /* as the client wrote it, for the log */
	struct str answer;
	struct scanner spamd;
	struct spamd_reply reply;
};

/* ---- the talk with spamd ---- */

static void make_question(const struct scan *scan, struct str *head)
{
	str_append_text(head, scan->only_judges ? "CHECK" : "HEADERS");
	str_append_text(head, " SPAMC/1.5\r\nContent-length: ");
	str_append_number(head, scan->filter.stage.message.size);
	if (scan->user) {
		str_append_text(head, "\r\nUser: ");
		str_append_text(head, scan->user);
	}
	str_append_text(head, "\r\n\r\n");
}

/* Without our end, spamd waits for more in some cases: of an empty message, or
   when it counts other lengths than we do. */
static int send_question(struct scan *scan)
{
	struct scanner *spamd = &scan->spamd;
	struct str head = { 0 }, tail = { 0 };
	int result;

	make_question(scan, &head);
	result = scanner_ask(spamd, &head, &scan->filter.stage.message, &tail);
	str_free(&head);
	/* It may have hung up. */
	if (result == 0) (void)shutdown(spamd->fd, SHUT_WR);
	return result;
}

static int hear(struct scan *scan)
{
	struct str *answer = &scan->answer;
	enum spamd_state state = SPAMD_MORE;
	ssize_t heard = 1;

	while (heard > 0 && state == SPAMD_MORE) {
		heard = scanner_hear(&scan->spamd, answer, ANSWER_LIMIT);
		if (heard > 0)
			state = spamd_parse(answer->data, answer->length,
					    &scan->reply);
	}
	if (heard < 0) return -1;
	filter_debug(&scan->filter, 2, "spamd: %s", scan->reply.text);
	if (state == SPAMD_FAILED)
		return scanner_is_wrong(&scan->spamd, "says", scan->reply.text);
	if (state == SPAMD_ANSWERED && (scan->only_judges || scan->reply.body))
		return 0;
	return scanner_is_wrong(&scan->spamd, "gives no whole answer", NULL);
}

static int find_reply(struct scan *scan)
{
	int result;

	scan->spamd.end = scan->filter.end;
	if (scanner_connect(&scan->spamd) < 0) return -1;
	result = send_question(scan);
	if (result == 0) result = hear(scan);
	scanner_hang_up(&scan->spamd);
	return result;
}

/* ---- the header ---- */

/* Takes it in, without the marks that it has no right to. */
static enum queue_exit_code take_header(struct scan *scan)
{
	struct header_edit *header = &scan->filter.header;
	enum queue_exit_code code = filter_take_header(&scan->filter);
	const char *subject;
	size_t length;

	if (code != QUEUE_DONE) return code;
	header_edit_remove(header, mark_names, HEADER_ALL);
	subject = header_edit_value(header, "Subject", -1, &length);
	if (subject) str_append(&scan->subject, subject, length);
	return QUEUE_DONE;
}

static bool is_mark(const struct spamd_field *field)
{
	size_t prefix = sizeof mark_names - 2; /* neither '*' nor NUL */

	return field->name_length > prefix &&
	       field->name_length <= HEADER_NAME_LIMIT &&
	       field->length <= MARK_LIMIT &&
	       strncasecmp(field->name, mark_names, prefix) == 0;
}

static void add_marks(struct scan *scan)
{
	const char *at = scan->reply.body, *end = at + scan->reply.body_length;
	struct spamd_field field;
	size_t left = MARKS_LIMIT;
	long count = 0;

	while (spamd_next_field(&at, end, &field) && count < MARK_COUNT) {
		char name[HEADER_NAME_LIMIT + 1];

		if (!is_mark(&field) || field.length > left) continue;
		left -= field.length;
		memcpy(name, field.name, field.name_length);
		name[field.name_length] = '\0';
		if (header_edit_add(&scan->filter.header, count, name,
				    field.value, field.length))
			count++;
	}
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Folds and blanks may differ. */
static bool is_same_text(const char *a, size_t a_length, const char *b,
			 size_t b_length)
{
	const char *a_end = a + a_length, *b_end = b + b_length;

	for (;;) {
		while (a < a_end && is_blank(*a)) a++;
		while (b < b_end && is_blank(*b)) b++;
		if (a == a_end || b == b_end) return a == a_end && b == b_end;
		if (*a++ != *b++) return false;
	}
}

/* The last one counts for spamd, and it may have put a word before it. */
static void take_subject(struct scan *scan)
{
	const char *at = scan->reply.body, *end = at + scan->reply.body_length;
	const struct str *own = &scan->subject;
	struct spamd_field field, found = { 0 };

	while (spamd_next_field(&at, end, &field))
		if (field.name_length == strlen("Subject") &&
		    strncasecmp(field.name, "Subject", field.name_length) == 0)
			found = field;
	if (!found.name || found.length > MARK_LIMIT) return;
	if (is_same_text(own->data ? own->data : "", own->length, found.value,
			 found.length))
		return;
	header_edit_replace(&scan->filter.header, "Subject", found.value,
			    found.length);
}

/* ---- what comes of it ---- */

static const char *state(const struct scan *scan, const char *word)
{
	static struct str text;

	str_clear(&text);
	spam_score_append_state(&text, word, scan->reply.score,
				scan->reply.required, scan->level);
	return text.data;
}

static enum queue_exit_code refuse(struct scan *scan)
{
	struct filter *filter = &scan->filter;
	const char *subject = scan->subject.data;
	char text[STAGE_TEXT_LIMIT + 1];
	struct str score = { 0 };

	if (scan->drops)
		return filter_drop(filter, state(scan, "SPAM DROPPED"),
				   subject);
	spam_score_append(&score, scan->reply.score);
	snprintf(text, sizeof text, REPLY_SPAM, score.data);
	str_free(&score);
	return filter_refuse(filter, state(scan, "SPAM REJECT"), subject, text);
}

static enum queue_exit_code follow(struct scan *scan)
{
	bool passes = scan->filter.control.spam_passthru == SIMCONTROL_YES;
	bool is_over = scan->reply.score >= scan->level;
	const char *word = "CLEAN";

	if (is_over && !passes) return refuse(scan);
	if (is_over) word = "PASSTHRU";
	else if (scan->reply.is_spam) word = "SPAM PASS";
	if (!scan->only_judges) {
		add_marks(scan);
		if (scan->reply.is_spam) take_subject(scan);
	}
	return filter_pass(&scan->filter, state(scan, word),
			   scan->subject.data);
}

/* ---- the question whether to ask ---- */

static void use_domains_settings(struct scan *scan)
{
	const struct simcontrol *control = &scan->filter.control;

	if (control->has_spam_hits) scan->level = control->spam_hits;
	if (control->has_size_limit) scan->filter.limit = control->size_limit;
	if (control->spamuser) scan->user = control->spamuser;
}

static bool is_user(const char *user)
{
	for (; *user; user++)
		if (*user <= ' ' || *user > '~') return false;
	return true;
}

static enum queue_exit_code look(struct scan *scan)
{
	struct filter *filter = &scan->filter;
	enum queue_exit_code code;

	use_domains_settings(scan);
	if (scan->user && !is_user(scan->user))
		return filter_fail(filter, QUEUE_CANNOT_READ_SETTINGS,
				   "spamuser is no user's name");
	code = take_header(scan);
	if (code != QUEUE_DONE) return code;
	if (!simcontrol_wants(&filter->control, filter->control.spam))
		return filter_pass(filter, "SKIPPED", "spam=no");
	if (filter_trusts_client())
		return filter_pass(filter, "RELAYCLIENT", scan->subject.data);
	if (filter_is_too_long(filter))
		return filter_pass_unscanned(filter, "too long");
	if (find_reply(scan) == 0) return follow(scan);
	return filter_no_verdict(filter, scan->spamd.code, scan->spamd.reason);
}

static void read_options(struct scan *scan, int argc, char **argv)
{
	int letter;

	while ((letter = option_next(argc, argv,
				     FILTER_LETTERS "cdR:u:", synopsis)) != -1)
		switch (letter) {
		case 'c': scan->only_judges = true; break;
		case 'd': scan->drops = true; break;
		case 'R':
			if (!spam_score_parse(optarg, strlen(optarg),
					      &scan->level)) {
				note("option -R takes a score");
				die_usage(synopsis);
			}
			break;
		case 'u': scan->user = optarg; break;
		default: filter_option(&scan->filter, letter, synopsis);
		}
	scan->filter.next = argv + optind;
}

int main(int argc, char **argv)
{
	struct scan scan = { .filter.limit = USUAL_LIMIT,
			     .level = SPAM_SCORE_NEVER,
			     .spamd = { .name = "spamd",
					.usual_port = USUAL_PORT } };
	enum queue_exit_code code;

	program_name = "filter-spamd";
	filter_start(&scan.filter, "SPAMD_SOCKET", usual_socket);
	read_options(&scan, argc, argv);
	scanner_set_place(&scan.spamd, scan.filter.socket);
	code = filter_take(&scan.filter);
	if (code == QUEUE_DONE) code = look(&scan);
	return (int)code;
}

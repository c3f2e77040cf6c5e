/* SPDX-License-Identifier: ISC */
#include "sender_spf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/parse.h"
#include "control_file.h"
#include "inquiry.h"
#include "log.h"
#include "mail/address.h"
#include "replies.h"
#include "session.h"
#include "system/net.h"

enum {
	/* Those that RFC 7208 section 4.6.4 asks for. */
	SECONDS = 20,
	/* spfcheck's four lines; the longest one is the field, in which each
	   value from outside is cut. */
	ANSWER_ROOM = 8192,
	IP_ROOM = 128,
	/* RFC 5322 section 2.1.1. */
	FIELD_LINE = 78,
	TAB = 8,
	/* Of the explanation; the whole line of a reply may have 512 (RFC 5321
	   section 4.5.3.1.5). */
	REPLY_TEXT = 250,
	NEVER = 255,
};

/* In the order of spfcheck's exit codes. `exported` are the words of qmail's SPF
   patch; `refused_from` is the SPFBEHAVIOR from which on it is refused. */
static const struct result {
	const char *word;
	const char *exported;
	unsigned refused_from;
} results[] = {
	{ "pass", "pass", NEVER },     { "fail", "fail", 3 },
	{ "softfail", "softfail", 4 }, { "neutral", "neutral", 5 },
	{ "permerror", "unknown", 6 }, { "temperror", "error", 2 },
	{ "none", "none", 6 },
};

enum { RESULTS = sizeof results / sizeof *results, TEMPERROR = 5 };

/* ---- the question ---- */

/* What the operator adds. */
static struct control_file rules = { .name = "spfrules" };
static struct control_file guess = { .name = "spfguess" };
static struct control_file explanation = { .name = "spfexp" };

/* An address of IPv6 may have the name of an interface behind it. */
static const char *client_ip(const struct session *session, char room[IP_ROOM])
{
	const char *ip = session->client.remote_ip;

	printable_text(room, IP_ROOM, ip ? ip : "unknown");
	room[strcspn(room, "%")] = '\0';
	return room;
}

/* Where the interfaces cannot be listed, it is asked as any other client. */
static bool is_this_host(const char *client)
{
	struct net_ip ip;

	return net_ip_parse(client, &ip) == 0 &&
	       (net_ip_is_loopback(&ip) || net_ip_is_local(&ip) > 0);
}

static const char *text_of(const struct str *text)
{
	return text->length ? text->data : "";
}

/* The name of this host is the first word of the greeting, if it is nowhere
   else. */
static void append_receiver(struct str *text, const struct session *session)
{
	const struct settings *settings = &session->settings;

	if (settings->me.length > 0) str_append_text(text, settings->me.data);
	else
		str_append(text, settings->greeting.data,
			   strcspn(settings->greeting.data, " "));
}

void spf_ask(struct session *session, struct spf_inquiry *inquiry)
{
	const struct policy *policy = &session->settings.policy;
	struct str receiver = { 0 };
	char ip[IP_ROOM], seconds[INQUIRY_SECONDS];

	inquiry->is_wanted =
		policy->spf_behavior > 0 && !client_may_relay(session);
	if (!inquiry->is_wanted) return;
	client_ip(session, ip);
	str_append_text(&receiver, "SPFRECEIVER=");
	append_receiver(&receiver, session);
	inquiry->has_started = inquiry_start(
		session, &inquiry->helper,
		(const char *const[]){
			"spfcheck", is_this_host(ip) ? "-dl" : "-d", "-t",
			inquiry_seconds(session, SECONDS, seconds), "--", ip,
			text_of(&session->helo), session->address.data,
			control_file_line(session, &rules),
			control_file_line(session, &guess),
			control_file_line(session, &explanation), NULL },
		(const char *const[]){ receiver.data,
				       policy->spf_block_plus_all
					       ? "SPF_BLOCK_PLUS_ALL=1"
					       : "SPF_BLOCK_PLUS_ALL=0",
				       NULL });
	str_free(&receiver);
}

/* ---- the answer ---- */

/* What spfcheck has said; the texts lie in its output. */
struct answer {
	const struct result *result;
	char *explanation;
	char *field;
	char *domain;
	bool is_of_helo;
	bool is_of_address; /* not of all in the domain */
	bool is_local;
};

static bool read_details(struct answer *answer, char *line)
{
	const char *identity, *decider;

	answer->domain = parse_cut(&line, ' ');
	identity = answer->domain ? parse_cut(&line, ' ') : NULL;
	if (!identity) return false;
	decider = parse_cut(&line, ' ');
	answer->is_of_address = decider && strcmp(line, "address") == 0;
	if (!decider) decider = line;
	if (strcmp(answer->domain, "-") == 0) *answer->domain = '\0';
	answer->is_of_helo = strcmp(identity, "helo") == 0;
	answer->is_local = strcmp(decider, "local") == 0;
	return true;
}

static bool read_answer(struct answer *answer, char *rest, int exit_code)
{
	char *word, *details;

	if (exit_code < 0 || exit_code >= RESULTS) return false;
	answer->result = &results[exit_code];
	word = parse_cut(&rest, '\n');
	if (!word || strcmp(word, answer->result->word) != 0) return false;
	answer->explanation = parse_cut(&rest, '\n');
	answer->field = answer->explanation ? parse_cut(&rest, '\n') : NULL;
	details = answer->field ? parse_cut(&rest, '\n') : NULL;
	return details && read_details(answer, details);
}

/* When spfcheck itself fails: nobody knows, now. */
static void know_nothing(const struct session *session, struct answer *answer,
			 char output[ANSWER_ROOM])
{
	static char nothing[] = "";
	static char field[] = "Received-SPF: temperror (spfcheck has failed)";
	const char *sender = session->address.data;
	const char *domain = address_domain(sender);

	answer->result = &results[TEMPERROR];
	answer->explanation = nothing;
	answer->field = field;
	answer->is_local = false;
	answer->is_of_helo = *sender == '\0';
	if (answer->is_of_helo) domain = text_of(&session->helo);
	answer->domain = output;
	printable_text(output, ANSWER_ROOM, domain ? domain : sender);
}

static void hear(struct session *session, struct spf_inquiry *inquiry,
		 struct answer *answer, char output[ANSWER_ROOM])
{
	struct helper_answer heard = {
		.output = output,
		.size = ANSWER_ROOM,
	};

	if (inquiry->has_started) {
		helper_finish(&inquiry->helper, &heard);
		if (heard.ending == HELPER_EXITED &&
		    read_answer(answer, output, heard.exit_code))
			return;
		log_helper_failure("spfcheck", &heard);
	}
	know_nothing(session, answer, output);
}

/* ---- what comes of it ---- */

/* The beginning of a text that fits, up to a blank if there is one. */
static size_t fitting_length(const char *text, size_t most)
{
	size_t length = strlen(text), at;

	if (length <= most) return length;
	for (at = most; at > 0 && text[at] != ' '; at--) continue;
	if (at > 0) return at;
	return strcspn(text, " ");
}

static void append_shown(struct str *to, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		str_append_byte(to,
				text[i] >= 32 && text[i] < 127 ? text[i] : '?');
}

/* Up to a blank that may be folded: one within quotes is part of a value. */
static size_t word_length(const char *text, bool *in_comment)
{
	bool is_quoted = false;
	size_t at;

	for (at = 0; text[at]; at++) {
		if (text[at] == '\\' && text[at + 1]) at++;
		else if (*in_comment) *in_comment = text[at] != ')';
		else if (text[at] == '"') is_quoted = !is_quoted;
		else if (text[at] == '(' && !is_quoted) *in_comment = true;
		if (text[at + 1] == ' ' && !is_quoted) return at + 1;
	}
	return at;
}

/* Folded, RFC 5322 section 2.2.3. */
static void add_field(struct session *session, const char *text)
{
	struct str *field = &session->transaction.headers;
	bool in_comment = false;
	size_t length = word_length(text, &in_comment), column = 0;

	for (;;) {
		append_shown(field, text, length);
		column += length + 1;
		text += length;
		if (*text != ' ') break;
		length = word_length(++text, &in_comment);
		if (column + length <= FIELD_LINE) {
			str_append_byte(field, ' ');
			continue;
		}
		str_append_text(field, "\n\t");
		column = TAB;
	}
	str_append_byte(field, '\n');
}

/* As jms1's patch does: up to the end of the comment. */
static void log_field(char *field)
{
	size_t end = 0;
	char rest;

	while (field[end] && field[end] != ')')
		end += field[end] == '\\' && field[end + 1] ? 2 : 1;
	if (field[end]) end++;
	rest = field[end];
	field[end] = '\0';
	log_spf(field);
	field[end] = rest;
}

static void refuse_later(struct session *session, const char *text)
{
	struct str *refusal = &session->transaction.spf_refusal;

	for (;;) {
		size_t length = fitting_length(text, REPLY_TEXT);
		bool is_last = text[length] == '\0';

		str_append_text(refusal,
				is_last ? REPLY_SPF : REPLY_SPF_CONTINUED);
		append_shown(refusal, text, length);
		if (is_last) break;
		str_append_text(refusal, "\r\n");
		text += length + 1;
	}
	str_append_text(refusal, REPLY_SPF_END);
}

/* The strings stay where they are as long as they are in the environment. */
static void export_answer(struct session *session, const struct answer *answer)
{
	struct str *variables = &session->transaction.spf_variables;
	size_t domain, local;

	str_append_text(variables, "SPFRESULT=");
	str_append_text(variables, answer->result->exported);
	str_append_byte(variables, '\0');
	domain = variables->length;
	str_append_text(variables, "SPFDOMAIN=");
	str_append_text(variables, answer->domain);
	str_append_byte(variables, '\0');
	local = variables->length;
	str_append_text(variables, "SPFLOCAL=1");
	(void)putenv(variables->data);
	(void)putenv(variables->data + domain);
	if (answer->is_local) (void)putenv(variables->data + local);
}

void spf_forget(struct session *session)
{
	unsetenv("SPFRESULT");
	unsetenv("SPFDOMAIN");
	unsetenv("SPFLOCAL");
	str_clear(&session->transaction.spf_variables);
}

/* For Authentication-Results: who has been checked, and no more of him. */
static void note_result(struct session *session, const struct answer *answer)
{
	struct transaction *transaction = &session->transaction;
	struct str *identity = &transaction->spf_identity;
	const char *sender = session->address.data;
	const char *domain = address_domain(sender);

	str_append_text(&transaction->spf_result, answer->result->word);
	str_append_text(identity,
			answer->is_of_helo ? "smtp.helo=" : "smtp.mailfrom=");
	if (answer->is_of_address && domain)
		str_append(identity, sender, (size_t)(domain - sender));
	str_append_text(identity, answer->domain);
}

const char *spf_hear(struct session *session, struct spf_inquiry *inquiry)
{
	const struct policy *policy = &session->settings.policy;
	struct answer answer = { 0 };
	char output[ANSWER_ROOM];

	if (!inquiry->is_wanted) return NULL;
	hear(session, inquiry, &answer, output);
	if (policy->spf_log) log_field(answer.field);
	if (policy->spf_behavior >= answer.result->refused_from) {
		if (answer.result == &results[TEMPERROR])
			return REPLY_SPF_FAILURE;
		refuse_later(session, answer.explanation);
	}
	add_field(session, answer.field);
	note_result(session, &answer);
	export_answer(session, &answer);
	return NULL;
}

/* SPDX-License-Identifier: ISC */
#include "mail/spf.h"

#include <stdio.h>
#include <string.h>

#include "mail/idn.h"

static const char default_explanation[] =
	"See http://spf.pobox.com/why.html?sender=%{S}&ip=%{I}&receiver=%{xR}";

const char *spf_result_word(enum spf_result result)
{
	switch (result) {
	case SPF_PASS: return "pass";
	case SPF_FAIL: return "fail";
	case SPF_SOFTFAIL: return "softfail";
	case SPF_NEUTRAL: return "neutral";
	case SPF_PERMERROR: return "permerror";
	case SPF_TEMPERROR: return "temperror";
	case SPF_NONE: break;
	}
	return "none";
}

/* Who is checked (section 2.4 and 4.3). */

static void set_identity(struct spf_check *check,
			 const struct spf_request *request)
{
	const char *sender = request->sender;
	const char *at = strrchr(sender, '@');
	const char *domain = at ? at + 1 : sender;
	size_t length;

	check->is_helo = *sender == '\0';
	if (check->is_helo) domain = request->helo;
	length = strlen(domain);
	if ((check->is_helo || idn_to_ascii(domain, check->identity) < 0) &&
	    length < sizeof check->identity)
		memcpy(check->identity, domain, length + 1);
	length = strlen(check->identity);
	if (length > 0 && check->identity[length - 1] == '.')
		check->identity[length - 1] = '\0';
	if (at && at > sender)
		str_append(&check->local_part, sender, (size_t)(at - sender));
	else str_append_text(&check->local_part, "postmaster");
	str_append(&check->address, check->local_part.data,
		   check->local_part.length);
	str_append_byte(&check->address, '@');
	str_append_text(&check->address, check->identity);
}

static void set_values(struct spf_check *check,
		       const struct spf_request *request)
{
	check->evaluation.values = (struct spf_values){
		.ip = request->ip,
		.sender = check->address.data,
		.local_part = check->local_part.data,
		.sender_domain = check->identity,
		.domain = check->identity,
		.helo = request->helo,
		.receiver = request->receiver,
		.subject = check->subject,
		.reason = check->comment,
	};
	check->evaluation.blocks_plus_all = request->blocks_plus_all;
	check->evaluation.rules = request->rules;
}

/* What is decided. */

static void fail_for_ever(struct spf_check *check, const char *why)
{
	check->result = SPF_PERMERROR;
	snprintf(check->evaluation.comment, SPF_TEXT, "%s", why);
	snprintf(check->evaluation.problem, SPF_TEXT, "%s", why);
}

/* For a domain without a record: local rules are heard, if one matches. */
static void try_rules(struct spf_check *check, const char *rules)
{
	struct spf_evaluation *evaluation = &check->evaluation;
	enum spf_result result;

	if (check->result != SPF_NONE || !rules || !*rules) return;
	result = spf_evaluate_rules(evaluation, check->identity, rules);
	if (evaluation->has_matched) check->result = result;
}

static void let_in(struct spf_check *check)
{
	struct spf_evaluation *evaluation = &check->evaluation;

	check->result = SPF_PASS;
	evaluation->has_matched = evaluation->is_local = true;
	snprintf(evaluation->mechanism, SPF_TEXT, "default");
}

static void evaluate(struct spf_check *check, const struct spf_request *request)
{
	struct spf_evaluation *evaluation = &check->evaluation;
	char comment[SPF_TEXT];

	if (request->is_ours) {
		let_in(check);
		return;
	}
	if (request->ip.family == NET_NONE) {
		fail_for_ever(check, "No IP address in conversation");
		return;
	}
	check->result = spf_evaluate(evaluation, check->identity);
	if (check->result != SPF_NONE || !spf_is_domain(check->identity))
		return;
	memcpy(comment, evaluation->comment, sizeof comment);
	try_rules(check, request->guess);
	try_rules(check, request->rules);
	memcpy(evaluation->comment, comment, sizeof comment);
}

/* How it is said. */

static void set_comment(struct spf_check *check)
{
	const char *subject = check->subject;
	char ip[NET_IP_TEXT];

	net_ip_format(&check->evaluation.values.ip, ip);
	switch (check->result) {
	case SPF_PASS:
		snprintf(check->comment, SPF_COMMENT,
			 "%s designates %s as permitted sender", subject, ip);
		break;
	case SPF_FAIL:
		snprintf(check->comment, SPF_COMMENT,
			 "%s does not designate %s as permitted sender",
			 subject, ip);
		break;
	case SPF_SOFTFAIL:
		snprintf(check->comment, SPF_COMMENT,
			 "transitioning %s does not designate %s as permitted "
			 "sender",
			 subject, ip);
		break;
	case SPF_NEUTRAL:
		snprintf(check->comment, SPF_COMMENT,
			 "%s is neither permitted nor denied by %s", ip,
			 subject);
		break;
	case SPF_PERMERROR:
	case SPF_TEMPERROR:
	case SPF_NONE:
		snprintf(check->comment, SPF_COMMENT, "%s",
			 check->evaluation.comment);
		break;
	}
}

bool spf_is_by_policy(const struct spf_check *check)
{
	return check->evaluation.has_matched && check->evaluation.is_local;
}

static void set_subject(struct spf_check *check)
{
	if (spf_is_by_policy(check))
		snprintf(check->subject, SPF_TEXT, "local policy");
	else
		snprintf(check->subject, SPF_TEXT, "SPF record at %s",
			 check->evaluation.domain);
}

/* Section 6.2: one text, or none. */
static bool find_explanation(struct spf_evaluation *evaluation,
			     struct str *text)
{
	struct spf_text target = { evaluation->exp.data,
				   evaluation->exp.length };
	const struct dns_finding *finding;
	struct dns_answer answer;
	struct dns_record record;
	char name[DNS_NAME];

	spf_prepare_values(evaluation, evaluation->domain, target);
	if (!spf_macro_name(target, &evaluation->values, name)) return false;
	finding = dns_cache_find(&evaluation->cache, name, DNS_TXT);
	answer = finding->answer;
	return finding->result == DNS_FOUND &&
	       dns_answer_next(&answer, &record) &&
	       dns_record_text(&answer, &record, text) && text->length > 0 &&
	       !dns_answer_next(&answer, &record);
}

static bool explain_by_domain(struct spf_check *check)
{
	enum { EXPLANATION_SECONDS = 5 };
	struct spf_evaluation *evaluation = &check->evaluation;
	struct str text = { 0 };
	bool done = false;

	if (check->result != SPF_FAIL || evaluation->is_local ||
	    evaluation->exp.length == 0)
		return false;
	dns_cache_extend(&evaluation->cache, deadline_in(EXPLANATION_SECONDS));
	if (find_explanation(evaluation, &text)) {
		struct spf_text all = { text.data, text.length };

		done = spf_macro_is_string(all, SPF_IN_EXPLANATIONS);
		if (done) {
			spf_prepare_values(evaluation, evaluation->domain, all);
			spf_macro_explain(all, &evaluation->values,
					  check->explanation, SPF_EXPLANATION);
		}
	}
	str_free(&text);
	return done;
}

/* The receiver's words; ours, when he has none or they are wrong. */
static void explain(struct spf_check *check, const char *words)
{
	struct spf_evaluation *evaluation = &check->evaluation;
	struct spf_text text = { .at = words };

	if (check->result == SPF_PASS || explain_by_domain(check)) return;
	if (words) text.length = strlen(words);
	if (text.length == 0 || !spf_macro_is_string(text, SPF_IN_LOCAL_TEXTS))
		text = (struct spf_text){ default_explanation,
					  sizeof default_explanation - 1 };
	spf_prepare_values(evaluation, evaluation->domain, text);
	spf_macro_explain(text, &evaluation->values, check->explanation,
			  SPF_EXPLANATION);
}

int spf_check(struct spf_check *check, const struct spf_request *request)
{
	struct spf_evaluation *evaluation = &check->evaluation;
	int opened = dns_cache_open(&evaluation->cache, request->servers,
				    deadline_in(request->seconds));

	set_identity(check, request);
	set_values(check, request);
	evaluate(check, request);
	set_subject(check);
	set_comment(check);
	explain(check, request->explanation);
	return opened;
}

/* The header. */

/* Bytes that would end a line, or the header, or are no ASCII. */
static char shown(char byte)
{
	return (unsigned char)byte >= ' ' && (unsigned char)byte < 127 ? byte
								       : '?';
}

enum { LONGEST_WORD = 400 };

/* Text between quotes or parentheses, with a backslash before each of those. */
static void append_quoted(struct str *header, const char *text,
			  const char *marks)
{
	for (size_t i = 0; text[i] && i < LONGEST_WORD; i++) {
		if (strchr(marks, text[i])) str_append_byte(header, '\\');
		str_append_byte(header, shown(text[i]));
	}
}

static bool is_dot_atom(const char *text)
{
	static const char atom[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789!#$%&'*+-/=?^_`{|}~";
	const char *at = text;

	if (strlen(text) > LONGEST_WORD) return false;
	for (;;) {
		size_t length = strspn(at, atom);

		if (length == 0) return false;
		at += length;
		if (*at == '\0') return true;
		if (*at++ != '.') return false;
	}
}

static void append_pair(struct str *header, const char *key, const char *value)
{
	str_append_byte(header, ' ');
	str_append_text(header, key);
	str_append_byte(header, '=');
	if (is_dot_atom(value)) {
		str_append_text(header, value);
	} else {
		str_append_byte(header, '"');
		append_quoted(header, value, "\"\\");
		str_append_byte(header, '"');
	}
	str_append_byte(header, ';');
}

static void append_reason(struct str *header, const struct spf_check *check)
{
	const struct spf_evaluation *evaluation = &check->evaluation;

	if (check->result == SPF_PERMERROR || check->result == SPF_TEMPERROR)
		append_pair(header, "problem", evaluation->problem);
	else
		append_pair(header, "mechanism",
			    evaluation->has_matched ? evaluation->mechanism
						    : "default");
}

void spf_append_header(struct str *header, const struct spf_check *check,
		       const struct spf_request *request)
{
	char ip[NET_IP_TEXT];

	str_append_text(header, "Received-SPF: ");
	str_append_text(header, spf_result_word(check->result));
	str_append_text(header, " (");
	append_quoted(header, request->receiver, "()\\");
	str_append_text(header, ": ");
	append_quoted(header, check->comment, "()\\");
	str_append_byte(header, ')');
	append_pair(header, "client-ip", net_ip_format(&request->ip, ip));
	append_pair(header, "helo", request->helo);
	if (!check->is_helo)
		append_pair(header, "envelope-from", request->sender);
	append_pair(header, "receiver", request->receiver);
	append_pair(header, "identity", check->is_helo ? "helo" : "mailfrom");
	append_reason(header, check);
}

/* SPDX-License-Identifier: ISC */
#include "mail/spf_evaluate.h"

#include <stdio.h>
#include <string.h>

#include "mail/spf_mechanism.h"
#include "mail/spf_record.h"

enum {
	MOST_TERMS = 10,
	MOST_VOIDS = 2,
	SLOW_MS = 5, /* no cache in the neighbourhood has known that */
};

/* What goes into the header field, about a domain. */
static const char unknown_mechanism[] =
	"SPF record at %s uses mechanism not recognized by this client";
static const char parse_error[] = "parse error in SPF record at %s";
static const char nothing_there[] =
	"domain at %s does not designate permitted sender hosts";
static const char dns_problem[] =
	"error in processing during lookup of %s: DNS problem";

struct limits {
	unsigned terms;
	unsigned voids;
	bool has_host; /* the first %{p} has been counted */
};

/* A record's part in the whole. */
enum role {
	OWN, /* of the sender, or what it redirects to */
	INCLUDED,
	LOCAL,
};

struct frame {
	struct spf_evaluation *all;
	struct limits *limits;
	enum role role;
	char domain[DNS_NAME];
	struct str text; /* the record's */
	bool is_slow;    /* it took a while to come */
	struct spf_record record;
};

/* What a term does. */
enum outcome { NO_MATCH, MATCH, PERMANENT_ERROR, TEMPORARY_ERROR };

static enum spf_result check_host(struct frame *);

/* Errors, and why. */

static void copy_text(char room[SPF_TEXT], struct spf_text text)
{
	size_t length = text.length < SPF_TEXT ? text.length : SPF_TEXT - 1;

	if (length > 0) memcpy(room, text.at, length);
	room[length] = '\0';
}

static enum outcome permanent_error(struct frame *frame, const char *why)
{
	snprintf(frame->all->comment, SPF_TEXT, "%s", why);
	snprintf(frame->all->problem, SPF_TEXT, "%s", why);
	return PERMANENT_ERROR;
}

static enum outcome temporary_error(struct frame *frame, const char *name)
{
	snprintf(frame->all->comment, SPF_TEXT, dns_problem, name);
	snprintf(frame->all->problem, SPF_TEXT, "DNS problem");
	return TEMPORARY_ERROR;
}

static enum spf_result no_record(struct frame *frame)
{
	snprintf(frame->all->comment, SPF_TEXT, nothing_there, frame->domain);
	snprintf(frame->all->problem, SPF_TEXT, "no SPF record at %s",
		 frame->domain);
	return SPF_NONE;
}

static enum spf_result wrong_record(struct frame *frame,
				    enum spf_reading reading,
				    struct spf_text term)
{
	struct spf_evaluation *all = frame->all;

	snprintf(all->comment, SPF_TEXT,
		 reading == SPF_UNKNOWN ? unknown_mechanism : parse_error,
		 frame->domain);
	copy_text(all->problem, term);
	if (!*all->problem)
		snprintf(all->problem, SPF_TEXT, "the record is too long");
	return SPF_PERMERROR;
}

/* Limits. */

static enum outcome count_term(struct frame *frame)
{
	if (++frame->limits->terms <= MOST_TERMS) return NO_MATCH;
	return permanent_error(frame, "too many DNS lookups");
}

static enum outcome count_void(struct frame *frame)
{
	if (++frame->limits->voids <= MOST_VOIDS) return NO_MATCH;
	return permanent_error(frame, "too many void DNS lookups");
}

/* Names. */

bool spf_is_domain(const char *domain)
{
	size_t label = 0, labels = 1;

	for (const char *at = domain; *at; at++) {
		label = *at == '.' ? 0 : label + 1;
		if (*at == '.') labels++;
		if (label > 63 || (unsigned char)*at <= ' ' ||
		    (unsigned char)*at >= 127)
			return false;
		if (*at == '.' && (at == domain || at[1] == '.')) return false;
	}
	return label > 0 && labels > 1 && *domain != '[' &&
	       strlen(domain) < DNS_NAME;
}

void spf_prepare_values(struct spf_evaluation *all, const char *domain,
			struct spf_text text)
{
	all->values.domain = domain;
	if (!spf_macro_uses(text, "p")) return;
	all->values.host =
		spf_host_of(&all->cache, &all->values.ip, domain, all->host);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 128) return false;
	return true;
}

/* MATCH: there is a name. NO_MATCH: nobody can have that one. */
static enum outcome expand(struct frame *frame, struct spf_text target,
			   char name[DNS_NAME])
{
	struct spf_evaluation *all = frame->all;

	if (target.length == 0) {
		memcpy(name, frame->domain, sizeof frame->domain);
		return MATCH;
	}
	if (!frame->limits->has_host && spf_macro_uses(target, "p")) {
		frame->limits->has_host = true;
		if (count_term(frame) != NO_MATCH) return PERMANENT_ERROR;
	}
	spf_prepare_values(all, frame->domain, target);
	return spf_macro_name(target, &all->values, name) ? MATCH : NO_MATCH;
}

/* RFC 8616 section 4: a local part that is not ASCII is in no name. */
static bool is_impossible(const struct frame *frame, struct spf_text target)
{
	return target.length > 0 && spf_macro_uses(target, "sl") &&
	       !is_ascii(frame->all->values.local_part);
}

/* The result is that of one address then, not of all in its domain. */
static void note_use(struct frame *frame, struct spf_text target)
{
	if (spf_macro_uses(target, "sl")) frame->all->is_of_address = true;
}

/* Mechanisms. */

static enum outcome outcome_of(struct frame *frame, enum spf_match match,
			       const char *name)
{
	switch (match) {
	case SPF_MATCHES: return MATCH;
	case SPF_DIFFERS: break;
	case SPF_VOID: return count_void(frame);
	case SPF_LOST: return temporary_error(frame, name);
	case SPF_TOO_MANY: return permanent_error(frame, "too many MX records");
	}
	return NO_MATCH;
}

static enum outcome match_include(struct frame *frame, const char *name)
{
	struct frame included = { .all = frame->all,
				  .limits = frame->limits,
				  .role = INCLUDED };

	snprintf(included.domain, sizeof included.domain, "%s", name);
	switch (check_host(&included)) {
	case SPF_PASS: return MATCH;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL: return NO_MATCH;
	case SPF_TEMPERROR: return TEMPORARY_ERROR;
	case SPF_PERMERROR:
	case SPF_NONE: break;
	}
	return PERMANENT_ERROR;
}

/* One that has a name to look up. */
static enum outcome match_name(struct frame *frame, const struct spf_term *term)
{
	struct spf_evaluation *all = frame->all;
	const struct net_ip *ip = &all->values.ip;
	unsigned prefix =
		ip->family == NET_IPV6 ? term->prefix_6 : term->prefix_4;
	char name[DNS_NAME];
	enum outcome outcome = count_term(frame);
	enum spf_match match;

	note_use(frame, term->target);
	if (outcome != NO_MATCH || is_impossible(frame, term->target))
		return outcome;
	outcome = expand(frame, term->target, name);
	if (outcome == PERMANENT_ERROR) return outcome;
	if (term->word == SPF_INCLUDE) return match_include(frame, name);
	if (outcome == NO_MATCH && term->word != SPF_PTR) return outcome;
	if (term->word == SPF_A)
		match = spf_match_a(&all->cache, ip, name, prefix);
	else if (term->word == SPF_MX)
		match = spf_match_mx(&all->cache, ip, name, prefix);
	else if (term->word == SPF_EXISTS)
		match = spf_match_exists(&all->cache, name);
	else match = spf_match_ptr(&all->cache, ip, name);
	return outcome_of(frame, match, name);
}

static bool is_network_of(const struct spf_term *term, const struct net_ip *ip)
{
	return (term->word == SPF_IP4 || term->word == SPF_IP6) &&
	       spf_record_network_has(&term->network,
				      term->word == SPF_IP4 ? term->prefix_4
							    : term->prefix_6,
				      ip);
}

static enum outcome match_term(struct frame *frame, const struct spf_term *term)
{
	switch (term->word) {
	case SPF_ALL: return MATCH;
	case SPF_IP4:
	case SPF_IP6:
		return is_network_of(term, &frame->all->values.ip) ? MATCH
								   : NO_MATCH;
	case SPF_INCLUDE:
	case SPF_A:
	case SPF_MX:
	case SPF_PTR:
	case SPF_EXISTS: return match_name(frame, term);
	case SPF_REDIRECT:
	case SPF_EXP:
	case SPF_OTHER_MODIFIER: break;
	}
	return NO_MATCH;
}

/* Records. */

/* The one record of the domain, into `text`. */
static enum spf_result choose_record(struct frame *frame,
				     const struct dns_finding *finding,
				     struct spf_text *terms)
{
	struct dns_answer answer = finding->answer;
	struct dns_record record;
	bool has_one = false;

	while (dns_answer_next(&answer, &record)) {
		struct spf_text one;
		size_t before = frame->text.length;

		if (record.length == 0) continue;
		if (!dns_record_text(&answer, &record, &frame->text)) {
			(void)temporary_error(frame, frame->domain);
			return SPF_TEMPERROR;
		}
		one.at = frame->text.data + before;
		one.length = frame->text.length - before;
		if (!spf_record_begins(one, &one)) {
			frame->text.length = before;
			continue;
		}
		if (has_one) {
			(void)permanent_error(frame,
					      "Multiple SPF records returned");
			return SPF_PERMERROR;
		}
		has_one = true;
	}
	if (!has_one) return no_record(frame);
	(void)spf_record_begins(
		(struct spf_text){ frame->text.data, frame->text.length },
		terms);
	return SPF_PASS;
}

static enum spf_result read_terms(struct frame *frame, struct spf_text terms)
{
	struct spf_text wrong;
	enum spf_reading reading =
		spf_record_read(&frame->record, terms, &wrong);

	return reading == SPF_END ? SPF_PASS
				  : wrong_record(frame, reading, wrong);
}

/* SPF_PASS: the frame has one, and it is good. */
static enum spf_result fetch_record(struct frame *frame)
{
	struct dns_cache *cache = &frame->all->cache;
	int left = deadline_left(cache->end);
	const struct dns_finding *finding;
	struct spf_text terms;
	enum spf_result result;

	if (!spf_is_domain(frame->domain)) return no_record(frame);
	finding = dns_cache_find(cache, frame->domain, DNS_TXT);
	frame->is_slow = left - deadline_left(cache->end) >= SLOW_MS;
	if (finding->result == DNS_ABSENT) return no_record(frame);
	if (finding->result == DNS_FAILED) {
		(void)temporary_error(frame, frame->domain);
		return SPF_TEMPERROR;
	}
	str_clear(&frame->text);
	result = choose_record(frame, finding, &terms);
	return result == SPF_PASS ? read_terms(frame, terms) : result;
}

/* False: it asks for nothing, or it is not known for what. */
static bool ask_for_term(struct frame *frame, const struct spf_term *term)
{
	struct spf_evaluation *all = frame->all;
	enum dns_type type;
	char name[DNS_NAME];

	switch (term->word) {
	case SPF_INCLUDE:
	case SPF_REDIRECT: type = DNS_TXT; break;
	case SPF_A:
		type = all->values.ip.family == NET_IPV6 ? DNS_AAAA : DNS_A;
		break;
	case SPF_MX: type = DNS_MX; break;
	case SPF_EXISTS: type = DNS_A; break;
	case SPF_ALL:
	case SPF_PTR:
	case SPF_IP4:
	case SPF_IP6:
	case SPF_EXP:
	case SPF_OTHER_MODIFIER:
	default: return false;
	}
	if (term->target.length > 0 &&
	    memchr(term->target.at, '%', term->target.length))
		return false;
	if (expand(frame, term->target, name) != MATCH) return false;
	(void)dns_cache_ask(&all->cache, name, type);
	return true;
}

/* What the terms up to the last will ask for, if none matches, is asked for at
   once where answers are far away. That counts only when a term is evaluated;
   so it is no more than there may still be. What has macros is left out: such
   names are often made to tell somebody something. */
static void ask_ahead(struct frame *frame)
{
	struct spf_text rest = frame->record.terms;
	unsigned left = MOST_TERMS - frame->limits->terms;
	struct spf_term term;

	if (!frame->is_slow || frame->role == LOCAL) return;
	while (left > 0 && spf_record_next(&rest, &term) == SPF_TERM) {
		if (term.word == SPF_ALL ||
		    is_network_of(&term, &frame->all->values.ip))
			break;
		if (term.word == SPF_REDIRECT && frame->record.has_all)
			continue;
		if (ask_for_term(frame, &term)) left--;
	}
}

/* What decided. Of an included record that is the term that includes it. */
static void note_decision(struct frame *frame, const struct spf_term *term)
{
	struct spf_evaluation *all = frame->all;

	if (frame->role == INCLUDED) return;
	all->has_matched = true;
	all->is_local = frame->role == LOCAL;
	copy_text(all->mechanism, term->text);
}

static void note_record(struct frame *frame)
{
	struct spf_evaluation *all = frame->all;

	if (frame->role != OWN) return;
	memcpy(all->domain, frame->domain, sizeof all->domain);
	str_clear(&all->exp);
	str_append(&all->exp, frame->record.exp.at, frame->record.exp.length);
}

static enum spf_result result_of(const struct frame *frame,
				 const struct spf_term *term)
{
	if (term->word == SPF_ALL && term->qualifier == '+' &&
	    frame->role == OWN && frame->all->blocks_plus_all)
		return SPF_FAIL;
	switch (term->qualifier) {
	case '-': return SPF_FAIL;
	case '~': return SPF_SOFTFAIL;
	case '?': return SPF_NEUTRAL;
	default: return SPF_PASS;
	}
}

/* The terms in their order. False: none of them decides. */
static bool run_terms(struct frame *frame, enum spf_result *result)
{
	struct spf_text rest = frame->record.terms;
	struct spf_evaluation *all = frame->all;
	struct spf_term term;

	while (spf_record_next(&rest, &term) == SPF_TERM) {
		if (frame->role == OWN && all->rules &&
		    term.text.at == frame->record.local_at) {
			*result = spf_evaluate_rules(all, frame->domain,
						     all->rules);
			if (all->has_matched) return true;
		}
		switch (match_term(frame, &term)) {
		case NO_MATCH: continue;
		case MATCH:
			note_decision(frame, &term);
			*result = result_of(frame, &term);
			return true;
		case PERMANENT_ERROR: *result = SPF_PERMERROR; return true;
		case TEMPORARY_ERROR: *result = SPF_TEMPERROR; return true;
		}
	}
	return false;
}

/* Makes the frame's domain that of "redirect". */
static enum outcome follow_redirect(struct frame *frame)
{
	struct spf_text target = frame->record.redirect;
	char name[DNS_NAME] = "";
	enum outcome outcome = count_term(frame);

	if (outcome != NO_MATCH) return outcome;
	note_use(frame, target);
	outcome = expand(frame, target, name);
	if (outcome == PERMANENT_ERROR) return outcome;
	memcpy(frame->domain, name, sizeof name);
	return MATCH;
}

static enum spf_result run_record(struct frame *frame)
{
	enum spf_result result;

	for (;;) {
		note_record(frame);
		ask_ahead(frame);
		if (run_terms(frame, &result)) return result;
		if (frame->record.redirect.length == 0) return SPF_NEUTRAL;
		if (follow_redirect(frame) == PERMANENT_ERROR)
			return SPF_PERMERROR;
		result = fetch_record(frame);
		if (result == SPF_NONE) return SPF_PERMERROR;
		if (result != SPF_PASS) return result;
	}
}

static enum spf_result check_host(struct frame *frame)
{
	enum spf_result result = fetch_record(frame);

	if (result == SPF_PASS) result = run_record(frame);
	str_free(&frame->text);
	return result;
}

enum spf_result spf_evaluate(struct spf_evaluation *all, const char *domain)
{
	struct limits limits = { 0 };
	struct frame frame = { .all = all, .limits = &limits, .role = OWN };

	all->has_matched = false;
	snprintf(frame.domain, sizeof frame.domain, "%s", domain);
	snprintf(all->domain, sizeof all->domain, "%s", domain);
	return check_host(&frame);
}

enum spf_result spf_evaluate_rules(struct spf_evaluation *all,
				   const char *domain, const char *rules)
{
	struct spf_text terms = { .at = rules, .length = strlen(rules) };
	struct limits limits = { 0 };
	struct frame frame = { .all = all, .limits = &limits, .role = LOCAL };
	enum spf_result result;

	all->has_matched = false;
	snprintf(frame.domain, sizeof frame.domain, "%s", domain);
	result = read_terms(&frame, terms);
	if (result == SPF_PASS) result = run_record(&frame);
	str_free(&frame.text);
	return result;
}

/* SPDX-License-Identifier: ISC */
#include "sender_dns.h"

#include <string.h>

#include "base/exit_codes.h"
#include "inquiry.h"
#include "log.h"
#include "mail/address.h"
#include "replies.h"
#include "sender_sanity.h"
#include "sender_spf.h"

enum {
	MX_SECONDS = 10,
	ANSWER_ROOM = 64,
	/* MFCHECK's number: what it logs. */
	LOGS_FAILURES = 2,
	LOGS_ALL = 3,
};

enum verdict { OK, NONE, NULL_MX, TEMPORARY };

struct mx_inquiry {
	bool is_wanted;
	const char *domain; /* NULL: the sender has none */
	bool has_started;
	struct helper helper;
};

static void ask_for_mx(struct session *session, struct mx_inquiry *inquiry)
{
	const struct policy *policy = &session->settings.policy;
	const char *sender = session->address.data;
	char seconds[INQUIRY_SECONDS];

	inquiry->is_wanted =
		(policy->sender_check > 0 || policy->sender_mx_check) &&
		!sender_is_null(sender);
	if (!inquiry->is_wanted) return;
	inquiry->domain = address_domain(sender);
	if (!inquiry->domain) return;
	inquiry->has_started = inquiry_start(
		session, &inquiry->helper,
		(const char *const[]){
			"mxcheck", "-t",
			inquiry_seconds(session, MX_SECONDS, seconds), "--",
			inquiry->domain, NULL },
		NULL);
}

/* By mxcheck's exit code, and the word beside it: another program of that name
   may exit so, too. */
static enum verdict read_verdict(const struct helper_answer *answer)
{
	static const struct {
		const char *line;
		int exit_code;
		enum verdict verdict;
	} rows[] = {
		{ "ok\n", 0, OK },
		{ "none\n", 1, NONE },
		{ "nullmx\n", 2, NULL_MX },
		{ "temporary\n", EXIT_TRY_AGAIN, TEMPORARY },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (answer->exit_code == rows[i].exit_code &&
		    strcmp(answer->output, rows[i].line) == 0)
			return rows[i].verdict;
	log_helper_failure("mxcheck", answer);
	return TEMPORARY;
}

static enum verdict hear_of_mx(struct mx_inquiry *inquiry)
{
	char output[ANSWER_ROOM];
	struct helper_answer answer = {
		.output = output,
		.size = sizeof output,
	};

	if (!inquiry->domain) return NONE;
	if (!inquiry->has_started) return TEMPORARY;
	helper_finish(&inquiry->helper, &answer);
	return read_verdict(&answer);
}

static void log_mx(const struct session *session,
		   const struct mx_inquiry *inquiry, enum verdict verdict)
{
	unsigned long level = session->settings.policy.sender_check;
	const char *sender = session->address.data;

	if (verdict == OK) {
		if (level >= LOGS_ALL)
			log_event(session, "MFCHECK pass", inquiry->domain);
	} else if (level >= LOGS_FAILURES) {
		if (!inquiry->domain)
			log_event(session, "MFCHECK invalid", sender);
		else if (verdict == TEMPORARY)
			log_event(session, "MFCHECK temporary",
				  inquiry->domain);
		else log_event(session, "MFCHECK fail", inquiry->domain);
	}
}

/* jms1's words, or qmail-ldap's where only that asks. */
static const char *refusal_of(const struct session *session,
			      enum verdict verdict)
{
	const struct settings *settings = &session->settings;
	bool is_mfcheck = settings->policy.sender_check > 0;

	switch (verdict) {
	case OK: return NULL;
	case TEMPORARY:
		return is_mfcheck ? REPLY_DNS_FAILURE : REPLY_MX_FAILURE;
	case NULL_MX:
		if (settings->enhanced_codes) return REPLY_NULL_MX;
		break;
	case NONE: break;
	}
	return is_mfcheck ? REPLY_NO_SENDER_DOMAIN : REPLY_NO_MX;
}

static const char *judge_mx(struct session *session, struct mx_inquiry *inquiry)
{
	enum verdict verdict;

	if (!inquiry->is_wanted) return NULL;
	verdict = hear_of_mx(inquiry);
	log_mx(session, inquiry, verdict);
	return refusal_of(session, verdict);
}

/* Both are waited for, whatever the first one says: a helper has nobody else who
   would. */
const char *sender_dns_check(struct session *session)
{
	struct mx_inquiry mx = { 0 };
	struct spf_inquiry spf = { 0 };
	const char *mx_refusal, *spf_refusal;

	ask_for_mx(session, &mx);
	spf_ask(session, &spf);
	mx_refusal = judge_mx(session, &mx);
	/* It needs two pages of the stack, which most sessions do without. */
	spf_refusal = spf.is_wanted ? spf_hear(session, &spf) : NULL;
	return mx_refusal ? mx_refusal : spf_refusal;
}

/* SPDX-License-Identifier: ISC */
#include "rbl.h"

#include <string.h>

#include "base/parse.h"
#include "inquiry.h"
#include "log.h"
#include "replies.h"
#include "session.h"
#include "system/net.h"

enum {
	EXIT_LISTED = 0,
	EXIT_NOT_LISTED = 1,
	/* Of an address with the name of an interface behind it. */
	IP_ROOM = 128,
};

/* ---- asking ---- */

static bool is_told(const struct helper_answer *answer)
{
	if (answer->ending != HELPER_EXITED) return false;
	return answer->exit_code == EXIT_LISTED ||
	       answer->exit_code == EXIT_NOT_LISTED;
}

static void ask(struct session *session, const char *ip)
{
	const char *const arguments[] = { "rblcheck", "--", ip, NULL };
	struct rbl *rbl = &session->rbl;
	struct helper_answer answer = { .size = HELPER_OUTPUT_LIMIT };
	struct helper helper;

	rbl->is_known = false;
	str_clear(&rbl->ip);
	str_append_text(&rbl->ip, ip);
	str_clear(&rbl->listings);
	str_reserve(&rbl->listings, HELPER_OUTPUT_LIMIT);
	answer.output = rbl->listings.data;
	if (!inquiry_start(session, &helper, arguments, NULL)) return;
	helper_finish(&helper, &answer);
	rbl->listings.length = answer.length;
	rbl->is_known = is_told(&answer);
	if (!rbl->is_known) log_helper_failure(arguments[0], &answer);
}

/* XCLIENT may have changed it. */
static bool is_about(const struct rbl *rbl, const char *ip)
{
	return rbl->ip.data && strcmp(rbl->ip.data, ip) == 0;
}

/* ---- its answer ---- */

/* A line of it, the tabs of which have become NULs. */
struct listing {
	const char *action;
	const char *list;
	const char *wanted;
	const char *answer;
	const char *message;
};

static bool next_listing(char **rest, struct listing *listing)
{
	char *line = parse_cut(rest, '\n');

	if (!line) return false;
	listing->action = parse_cut(&line, '\t');
	listing->list = listing->action ? parse_cut(&line, '\t') : NULL;
	listing->wanted = listing->list ? parse_cut(&line, '\t') : NULL;
	listing->answer = listing->wanted ? parse_cut(&line, '\t') : NULL;
	listing->message = line;
	return listing->answer != NULL;
}

static void append_shown(struct str *text, const char *value)
{
	char shown[512];

	str_append_text(text, printable_text(shown, sizeof shown, value));
}

static void add_field(struct session *session, const struct listing *listing)
{
	struct str *field = &session->transaction.headers;

	str_append_text(field, "X-RBL: (");
	append_shown(field, listing->list);
	str_append_text(field, ") ");
	if (strcmp(listing->wanted, "any") != 0) {
		str_append_text(field, "matches with ");
		append_shown(field, listing->wanted);
		str_append_text(field, " and ");
	}
	str_append_text(field, "tells us ");
	append_shown(field, listing->message);
	str_append_byte(field, '\n');
}

static const char *refuse_listed(struct session *session,
				 const struct listing *listing)
{
	struct str *text = &session->refusal;

	log_event(session, "RBL reject", listing->list);
	str_clear(text);
	str_append_text(text, REPLY_RBL);
	append_shown(text, session->rbl.ip.data);
	str_append_text(text, REPLY_RBL_END);
	append_shown(text, listing->message);
	return text->data;
}

/* In the order of the file: the first list that rejects is the last one that is
   heard. */
static const char *judge(struct session *session, char *listings)
{
	struct str *fields = &session->transaction.headers;
	size_t length_before = fields->length;
	struct listing listing;

	while (next_listing(&listings, &listing)) {
		if (session->settings.policy.rbl_only_header ||
		    strcmp(listing.action, "reject") != 0) {
			add_field(session, &listing);
			continue;
		}
		fields->length = length_before;
		return refuse_listed(session, &listing);
	}
	return NULL;
}

/* NULL: there is nothing to look up. */
static const char *client_address(const struct session *session, char *room)
{
	const char *ip = session->client.remote_ip;
	struct net_ip parsed;
	size_t length = ip ? strcspn(ip, "%") : 0;

	if (length == 0 || length >= IP_ROOM) return NULL;
	memcpy(room, ip, length);
	room[length] = '\0';
	return net_ip_parse(room, &parsed) == 0 ? room : NULL;
}

const char *rbl_check(struct session *session)
{
	const struct policy *policy = &session->settings.policy;
	struct rbl *rbl = &session->rbl;
	struct str listings = { 0 };
	const char *refusal, *ip;
	char room[IP_ROOM];

	if (!policy->rbl || client_may_relay(session)) return NULL;
	ip = client_address(session, room);
	if (!ip) return NULL;
	if (!rbl->is_known || !is_about(rbl, ip)) ask(session, ip);
	if (!rbl->is_known)
		return policy->rbl_only_header ? NULL : REPLY_RBL_FAILURE;
	if (rbl->listings.length == 0) return NULL;
	str_append(&listings, rbl->listings.data, rbl->listings.length);
	refusal = judge(session, listings.data);
	str_free(&listings);
	return refusal;
}

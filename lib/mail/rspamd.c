/* SPDX-License-Identifier: ISC */
#include "mail/rspamd.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/spam_score.h"

/* ---- HTTP ---- */

/* Behind the empty line, or NULL. */
static const char *find_body(const char *bytes, size_t length)
{
	size_t most = length < RSPAMD_HEAD_LIMIT ? length : RSPAMD_HEAD_LIMIT;
	const char *end = memmem(bytes, most, "\r\n\r\n", 4);

	return end ? end + 4 : NULL;
}

static bool is_field(const char *line, const char *end, const char *name)
{
	size_t length = strlen(name);

	return (size_t)(end - line) > length &&
	       strncasecmp(line, name, length) == 0;
}

/* False when there is none, or it is none. */
static bool find_length(const char *at, const char *body, size_t *length)
{
	static const char name[] = "Content-Length:";
	const char *end;

	for (; at < body; at = end + 1) {
		end = memchr(at, '\n', (size_t)(body - at));
		if (!end) return false;
		if (is_field(at, end, name)) break;
	}
	if (at >= body) return false;
	at += sizeof name - 1;
	while (at < body && (*at == ' ' || *at == '\t')) at++;
	if (at == body || *at < '0' || *at > '9') return false;
	for (*length = 0; at < body && *at >= '0' && *at <= '9'; at++) {
		if (*length > RSPAMD_REPLY_LIMIT) return false;
		*length = *length * 10 + (size_t)(*at - '0');
	}
	return true;
}

bool rspamd_is_whole(const char *bytes, size_t length)
{
	const char *body = find_body(bytes, length);
	size_t promised;

	return body && find_length(bytes, body, &promised) &&
	       length - (size_t)(body - bytes) >= promised;
}

/* "HTTP/1.1 200 OK" */
static bool is_good_status(const char *bytes, size_t length)
{
	return length > 12 && memcmp(bytes, "HTTP/1.", 7) == 0 &&
	       memcmp(bytes + 8, " 200", 4) == 0;
}

/* ---- JSON ---- */

/* Before the parser sees it, which calls itself for what is nested and takes 64
   bytes for "0,": is it small enough? */
static bool is_small(const char *at, size_t length)
{
	const char *end = at + length;
	size_t depth = 0, values = 1;
	bool in_string = false;

	for (; at < end; at++) {
		if (in_string) {
			if (*at == '\\') at++;
			else if (*at == '"') in_string = false;
			continue;
		}
		switch (*at) {
		case '"': in_string = true; break;
		case '{':
		case '[':
			values++;
			depth++;
			break;
		case '}':
		case ']': depth -= depth > 0; break;
		case ',': values++; break;
		default: break;
		}
		if (depth > RSPAMD_NESTING || values > RSPAMD_VALUES)
			return false;
	}
	return true;
}

static void *allocate(size_t size)
{
	void *memory = malloc(size);

	if (!memory) str_die_of_memory();
	return memory;
}

static cJSON *parse_json(const char *at, size_t length)
{
	cJSON_Hooks hooks = { .malloc_fn = allocate, .free_fn = free };
	const char *end = at;
	cJSON *json;

	if (!is_small(at, length)) return NULL;
	cJSON_InitHooks(&hooks);
	json = cJSON_ParseWithLengthOpts(at, length, &end, 0);
	while (json && end < at + length && *end && strchr(" \t\r\n", *end))
		end++;
	if (json && (end < at + length || !cJSON_IsObject(json))) {
		cJSON_Delete(json);
		json = NULL;
	}
	return json;
}

static const cJSON *get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Of an array or an object; what is neither, or is not there, has none. */
static const cJSON *first(const cJSON *list)
{
	return list ? list->child : NULL;
}

/* NULL when it is none. */
static const char *text_of(const cJSON *item)
{
	return cJSON_IsString(item) ? item->valuestring : NULL;
}

static long number_within(const cJSON *item, double most, long otherwise)
{
	if (!cJSON_IsNumber(item)) return otherwise;
	if (item->valuedouble > most) return (long)most;
	if (item->valuedouble < -most) return -(long)most;
	return (long)item->valuedouble;
}

/* In hundredths, to the nearest. */
static long score_of(const cJSON *item, long otherwise)
{
	double most = SPAM_SCORE_LIMIT / 100.0, score;

	if (!cJSON_IsNumber(item)) return otherwise;
	score = item->valuedouble;
	if (score > most) score = most;
	if (score < -most) score = -most;
	return (long)(score * 100 + (score < 0 ? -0.5 : 0.5));
}

/* ---- the verdict ---- */

static const struct {
	const char *name;
	enum rspamd_action action;
} actions[] = {
	{ "no action", RSPAMD_NO_ACTION },
	{ "greylist", RSPAMD_GREYLIST },
	{ "add header", RSPAMD_ADD_HEADER },
	{ "rewrite subject", RSPAMD_REWRITE_SUBJECT },
	{ "soft reject", RSPAMD_SOFT_REJECT },
	{ "reject", RSPAMD_REJECT },
	{ "discard", RSPAMD_DISCARD },
	{ "quarantine", RSPAMD_QUARANTINE },
};

static enum rspamd_action action_of(const char *name)
{
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].action;
	return RSPAMD_UNKNOWN;
}

/* In rspamd's own milter the block says what a rejection is to be, and whether
   there is to be any action at all. */
static void follow_milter(struct rspamd_reply *reply)
{
	const cJSON *milter = get(reply->json, "milter");
	const char *reject = text_of(get(milter, "reject"));

	if (cJSON_IsTrue(get(milter, "no_action")))
		reply->action = RSPAMD_NO_ACTION;
	if (reply->action != RSPAMD_REJECT || !reject) return;
	if (strcmp(reject, "discard") == 0) reply->action = RSPAMD_DISCARD;
	else if (strcmp(reject, "quarantine") == 0)
		reply->action = RSPAMD_QUARANTINE;
	else if (!reply->message) reply->message = reject;
}

static void read_verdict(struct rspamd_reply *reply)
{
	const cJSON *json = reply->json, *thresholds = get(json, "thresholds");
	long required = score_of(get(json, "required_score"), 0);

	reply->action = action_of(reply->action_name);
	reply->score = score_of(get(json, "score"), 0);
	reply->required = score_of(get(thresholds, "add header"), required);
	reply->reject = score_of(get(thresholds, "reject"), required);
	reply->message = text_of(get(get(json, "messages"), "smtp_message"));
	reply->subject = text_of(get(json, "subject"));
	follow_milter(reply);
}

static bool fail(struct rspamd_reply *reply, const char *text)
{
	printable_text(reply->text, sizeof reply->text, text);
	rspamd_free(reply);
	return false;
}

bool rspamd_parse(const char *bytes, size_t length, struct rspamd_reply *reply)
{
	const char *body = find_body(bytes, length), *error;
	size_t promised;

	*reply = (struct rspamd_reply){ 0 };
	if (length == 0) return fail(reply, "no answer");
	if (!body) return fail(reply, "an answer that is not HTTP");
	length -= (size_t)(body - bytes);
	if (find_length(bytes, body, &promised)) {
		if (promised > length) return fail(reply, "half an answer");
		length = promised;
	}
	reply->json = parse_json(body, length);
	error = text_of(get(reply->json, "error"));
	if (error) return fail(reply, *error ? error : "an error");
	if (!is_good_status(bytes, (size_t)(body - bytes)))
		return fail(reply, "an error of HTTP");
	if (!reply->json) return fail(reply, "an answer that is not JSON");
	reply->action_name = text_of(get(reply->json, "action"));
	if (!reply->action_name)
		return fail(reply, "an answer without an action");
	read_verdict(reply);
	return true;
}

void rspamd_free(struct rspamd_reply *reply)
{
	cJSON_Delete(reply->json);
	reply->json = NULL;
}

/* ---- the header ---- */

/* "*" at its end is a wish of ours, not of rspamd's. */
static bool is_pattern(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && name[length - 1] == '*';
}

static void remove_fields(struct header_edit *edit, const cJSON *names,
			  size_t *left)
{
	const cJSON *item;

	for (item = first(names); item; item = item->next) {
		if (*left == 0) return;
		if (!cJSON_IsNumber(item) || is_pattern(item->string)) continue;
		header_edit_remove(edit, item->string,
				   number_within(item, HEADER_EDIT_LIMIT, 0));
		--*left;
	}
}

static void add_value(struct header_edit *edit, long place, const char *name,
		      const char *value, size_t *left)
{
	if (!value || *left == 0) return;
	header_edit_add(edit, place, name, value, strlen(value));
	--*left;
}

/* A text goes to the end; an object says where. */
static void add_field(struct header_edit *edit, const char *name,
		      const cJSON *item, size_t *left)
{
	const cJSON *order = get(item, "order");

	if (!cJSON_IsObject(item)) {
		add_value(edit, HEADER_END, name, text_of(item), left);
		return;
	}
	if (!order) order = get(item, "index");
	add_value(edit, number_within(order, HEADER_EDIT_LIMIT, HEADER_END),
		  name, text_of(get(item, "value")), left);
}

static void add_fields(struct header_edit *edit, const cJSON *names,
		       size_t *left)
{
	const cJSON *item, *one;

	for (item = first(names); item; item = item->next) {
		if (!cJSON_IsArray(item)) {
			add_field(edit, item->string, item, left);
			continue;
		}
		for (one = first(item); one; one = one->next)
			add_field(edit, item->string, one, left);
	}
}

static void set_mark(struct header_edit *edit, const char *name,
		     const char *value, size_t *left)
{
	if (!value || *left == 0 || is_pattern(name)) return;
	header_edit_remove(edit, name, HEADER_ALL);
	add_value(edit, HEADER_TOP, name, value, left);
}

/* "spam_header" is the mark's value, or an object of other marks. */
static void add_marks(struct header_edit *edit, const cJSON *wish,
		      const char *mark, size_t *left)
{
	const cJSON *item;

	if (!cJSON_IsObject(wish)) {
		set_mark(edit, mark, text_of(wish) ? text_of(wish) : "Yes",
			 left);
		return;
	}
	for (item = first(wish); item; item = item->next)
		set_mark(edit, item->string, text_of(item), left);
}

/* On top, in their order. */
static void add_signatures(struct header_edit *edit, const cJSON *signatures,
			   size_t *left)
{
	static const char name[] = "DKIM-Signature";
	const cJSON *item;
	long place = HEADER_TOP;

	add_value(edit, place, name, text_of(signatures), left);
	if (!cJSON_IsArray(signatures)) return;
	for (item = first(signatures); item; item = item->next)
		add_value(edit, place++, name, text_of(item), left);
}

void rspamd_edit_header(const struct rspamd_reply *reply,
			struct header_edit *edit, const char *mark)
{
	const cJSON *milter = get(reply->json, "milter");
	const cJSON *removed = get(milter, "remove_headers");
	const cJSON *added = get(milter, "add_headers");
	size_t left = RSPAMD_EDITS;

	if (cJSON_IsObject(removed)) remove_fields(edit, removed, &left);
	if (cJSON_IsObject(added)) add_fields(edit, added, &left);
	if (mark) add_marks(edit, get(milter, "spam_header"), mark, &left);
	add_signatures(edit, get(reply->json, "dkim-signature"), &left);
}

/* ---- the envelope ---- */

struct address {
	char text[ENVELOPE_ADDRESS_LIMIT];
};

/* Without its angle brackets; false when an envelope cannot have it. */
static bool read_address(const char *text, struct address *address)
{
	size_t length = text ? strlen(text) : 0;

	if (!text) return false;
	if (length >= 2 && text[0] == '<' && text[length - 1] == '>') {
		text++;
		length -= 2;
	}
	if (length >= sizeof address->text) return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 127)
			return false;
	memcpy(address->text, text, length);
	address->text[length] = '\0';
	return true;
}

/* One text, or an array of them. */
static bool is_among(const char *recipient, const cJSON *list)
{
	struct address address;
	const cJSON *item;
	size_t left = RSPAMD_RECIPIENTS;

	for (item = first(list); item; item = item->next) {
		if (left-- == 0) break;
		if (read_address(text_of(item), &address) &&
		    strcasecmp(address.text, recipient) == 0)
			return true;
	}
	return false;
}

static bool has_recipient(const struct envelope *envelope, const char *wanted)
{
	const char *recipient = NULL;

	while ((recipient = envelope_next(envelope, recipient)))
		if (strcasecmp(recipient, wanted) == 0) return true;
	return false;
}

static bool append_kept(const struct envelope *envelope, const cJSON *removed,
			struct str *changed)
{
	const char *recipient = NULL;
	bool is_changed = false;

	while ((recipient = envelope_next(envelope, recipient))) {
		if (is_among(recipient, removed)) is_changed = true;
		else envelope_add(changed, recipient);
	}
	return is_changed;
}

static bool append_added(const struct envelope *envelope, const cJSON *added,
			 struct str *changed)
{
	struct address address;
	size_t left = RSPAMD_RECIPIENTS;
	bool is_changed = false;
	const cJSON *item;

	for (item = first(added); item; item = item->next) {
		if (left-- == 0) break;
		if (!read_address(text_of(item), &address) ||
		    !address.text[0] || has_recipient(envelope, address.text))
			continue;
		envelope_add(changed, address.text);
		is_changed = true;
	}
	return is_changed;
}

bool rspamd_edit_envelope(const struct rspamd_reply *reply,
			  const struct envelope *envelope, struct str *changed)
{
	const cJSON *milter = get(reply->json, "milter");
	struct address sender;
	bool is_changed =
		read_address(text_of(get(milter, "change_from")), &sender) &&
		strcmp(sender.text, envelope->sender) != 0;

	envelope_start(changed, is_changed ? sender.text : envelope->sender);
	if (append_kept(envelope, get(milter, "del_rcpt"), changed))
		is_changed = true;
	if (append_added(envelope, get(milter, "add_rcpt"), changed))
		is_changed = true;
	envelope_end(changed);
	return is_changed;
}

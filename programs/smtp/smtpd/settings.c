/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "mail/control.h"

enum {
	TIMEOUT = 1200,
	/* A client waits 600 seconds behind the final dot (RFC 5321 section
	   4.5.3.2.6): it is to hear of a program that hangs before that. */
	QUEUE_TIMEOUT = 540,
	/* And 300 behind MAIL and RCPT. */
	HELPER_TIMEOUT = 60,
	STRANGERS_LIMIT = 10,
	TARPIT_DELAY = 5,
	AUTH_DELAY = 5,
	AUTH_FAILURES_LIMIT = 3,
	/* A line of a reply has 512 bytes (RFC 5321 section 4.5.3.1.5). */
	GREETING_LIMIT = 480,
};

/* Absolute: without the home, the current folder can be anybody's. */
static char usual_queue_program[] = CHAINMAIL_HOME "/bin/qmail-queue";

/* ---- the environment ---- */

enum kind {
	NUMBER,  /* leading digits; none leave it alone */
	PRESENT, /* set, whatever to */
	TEXT,    /* empty is as good as not set */
	WORD,    /* empty says something, too */
};

/* A setting may have a name in each family. In one that has several, the first
   one of the family that the guides are for wins: the others are OTHER. */
enum family { OURS, OTHER };

/* In the order of a row that reads well.
   NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct variable {
	const char *name;
	enum kind kind;
	size_t member;
	enum family family;
};

#define IN(member) offsetof(struct settings, member)

/* In the order of strcmp: they are searched. */
static const struct variable variables[] = {
	{ "421GREETING", WORD, IN(greeting_421), OURS },
	{ "550GREETING", WORD, IN(greeting_554), OURS },
	{ "ALLOW_BARELF", NUMBER, IN(normalize_bare_lf), OURS },
	{ "ALLOW_CRAM", NUMBER, IN(cram_md5), OURS },
	{ "ALLOW_INSECURE_AUTH", NUMBER, IN(insecure_auth), OURS },
	{ "ALLOW_SCRAM", NUMBER, IN(scram), OURS },
	{ "AUTHORIZED", PRESENT, IN(authorized), OURS },
	{ "AUTHPREPEND", TEXT, IN(auth_prepend), OURS },
	{ "AUTHREQUIRED", PRESENT, IN(auth_required), OURS },
	{ "AUTH_CDB", TEXT, IN(auth_table), OURS },
	{ "BADRCPTDELAY", NUMBER, IN(policy.bad_recipient_delay), OURS },
	{ "BLOCKRELAYPROBE", PRESENT, IN(policy.block_relay_probe), OURS },
	{ "BRTLIMIT", NUMBER, IN(policy.strangers_limit), OTHER },
	{ "DATABYTES", NUMBER, IN(policy.databytes), OURS },
	{ "ENABLE_SPP", PRESENT, IN(plugins), OURS },
	{ "LDAPSOFTOK", PRESENT, IN(policy.soft_failure_is_ok), OURS },
	{ "LOGREGEX", PRESENT, IN(policy.log_patterns), OURS },
	{ "MAXRCPT", NUMBER, IN(policy.recipients_limit), OURS },
	{ "MAXRCPTCOUNT", NUMBER, IN(policy.accepted_limit), OURS },
	{ "MAXRECIPIENTS", NUMBER, IN(policy.recipients_limit), OTHER },
	{ "MFCHECK", NUMBER, IN(policy.sender_check), OURS },
	{ "MFDNSCHECK", PRESENT, IN(policy.sender_mx_check), OTHER },
	{ "MOREVALIDRCPTTO_CDB", TEXT, IN(policy.recipient_table), OTHER },
	{ "NOBADHELO", PRESENT, IN(policy.no_bad_helo), OURS },
	{ "NOBOUNCE", PRESENT, IN(policy.refuse_bounces), OURS },
	{ "NOSPP", PRESENT, IN(no_plugins), OURS },
	{ "QMAILSMTPD_HELP_VERSION", NUMBER, IN(policy.help_version), OURS },
	{ "QMAILSMTPD_LOG_MAIL", NUMBER, IN(policy.log_mail), OURS },
	{ "QMAILSMTPD_LOG_RCPT", NUMBER, IN(policy.log_recipients), OURS },
	{ "RBL", PRESENT, IN(policy.rbl), OURS },
	{ "RBLONLYHEADER", PRESENT, IN(policy.rbl_only_header), OURS },
	{ "RCPTCHECK", WORD, IN(policy.recipient_check), OURS },
	{ "RCPTCHECKRELAYCLIENT", NUMBER, IN(policy.check_relayed_recipients),
	  OURS },
	{ "RECIPIENTS", TEXT, IN(policy.recipient_table), OTHER },
	{ "REJECTEXEC", PRESENT, IN(policy.refuse_executables), OURS },
	{ "REJECTNULLSENDERS", PRESENT, IN(policy.refuse_bounces), OTHER },
	{ "RELAYREJ", NUMBER, IN(policy.refuse_relay_signs), OURS },
	{ "REQUIRE_AUTH", NUMBER, IN(require_auth), OURS },
	{ "RETURNMXCHECK", PRESENT, IN(policy.sender_mx_check), OURS },
	{ "SANITYCHECK", PRESENT, IN(policy.sanity_check), OURS },
	{ "SENDERCHECK", WORD, IN(policy.local_sender_check), OURS },
	{ "SMTP550DISCONNECT", PRESENT, IN(disconnect), OURS },
	{ "SMTPAUTH", WORD, IN(smtp_auth), OURS },
	{ "SMTPD_AUTH_CHALLENGE_FIRST", NUMBER, IN(auth_challenge_first),
	  OURS },
	{ "SMTPD_AUTH_DELAY", NUMBER, IN(auth_delay), OURS },
	{ "SMTPD_AUTH_FAILURES", NUMBER, IN(auth_failures_limit), OURS },
	{ "SMTPD_COMMAND_TIMEOUT", NUMBER, IN(command_timeout), OURS },
	{ "SMTPD_ERROR_LIMIT", NUMBER, IN(errors_limit), OURS },
	{ "SMTPD_HELPER_TIMEOUT", NUMBER, IN(helper_timeout), OURS },
	{ "SMTPD_JUNK_LIMIT", NUMBER, IN(junk_limit), OURS },
	{ "SMTPD_ONE_BOUNCE_RECIPIENT", PRESENT,
	  IN(policy.bounce_has_one_recipient), OURS },
	{ "SMTPGREETING", TEXT, IN(greeting_text), OURS },
	{ "SMTP_AUTH_RESULTS", NUMBER, IN(policy.auth_results), OURS },
	{ "SMTP_CHUNKING", NUMBER, IN(chunking), OURS },
	{ "SMTP_ENHANCED", NUMBER, IN(enhanced_codes), OURS },
	{ "SMTP_IPREV", NUMBER, IN(client_name), OURS },
	{ "SMTP_PROTOCOL_WORDS", NUMBER, IN(protocol_words), OURS },
	{ "SMTP_UTF8", NUMBER, IN(utf8), OURS },
	{ "SPFBEHAVIOR", NUMBER, IN(policy.spf_behavior), OURS },
	{ "SPF_BLOCK_PLUS_ALL", NUMBER, IN(policy.spf_block_plus_all), OURS },
	{ "SPF_LOG", NUMBER, IN(policy.spf_log), OURS },
	{ "SPPCONFFILE", TEXT, IN(plugins_file), OURS },
	{ "TARPITCOUNT", NUMBER, IN(policy.tarpit_count), OURS },
	{ "TARPITDELAY", NUMBER, IN(policy.tarpit_delay), OURS },
	{ "VALIDRCPTTO_CDB", TEXT, IN(policy.recipient_table), OURS },
	{ "VALIDRCPTTO_LIMIT", NUMBER, IN(policy.strangers_limit), OURS },
	{ "VALIDRCPTTO_LOG", NUMBER, IN(policy.recipient_table_log), OURS },
	{ "XCLIENT", NUMBER, IN(xclient), OURS },
};

#undef IN

/* The row of that name, or NULL. Most names differ in their first bytes. */
static const struct variable *find_variable(const char *name, size_t length)
{
	size_t from = 0, to = sizeof variables / sizeof *variables;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct variable *row = &variables[middle];
		int order = *name - *row->name;

		if (order == 0) order = strncmp(name, row->name, length);
		if (order == 0 && !row->name[length]) return row;
		if (order > 0) from = middle + 1;
		else to = middle;
	}
	return NULL;
}

static void set_member(struct settings *settings,
		       const struct variable *variable, const char *value)
{
	void *member = (char *)settings + variable->member;

	switch (variable->kind) {
	case NUMBER: parse_leading_number(value, member); break;
	case PRESENT: *(bool *)member = true; break;
	case TEXT: *(const char **)member = *value ? value : NULL; break;
	case WORD:
	default: *(const char **)member = value; break;
	}
}

/* One walk over what there is is far less than a search for each that could
   be. True when names of the other family are there. */
static bool read_family(struct settings *settings, enum family family,
			bool policy_only)
{
	bool has_others = false;

	for (char **at = environ; *at; at++) {
		const struct variable *variable;
		const char *value = strchr(*at, '=');

		if (!value) continue;
		variable = find_variable(*at, (size_t)(value - *at));
		if (!variable) continue;
		if (policy_only && variable->member >= sizeof settings->policy)
			continue;
		if (variable->family == family)
			set_member(settings, variable, value + 1);
		else has_others = true;
	}
	return has_others;
}

static void read_variables(struct settings *settings, bool policy_only)
{
	if (!read_family(settings, OURS, policy_only)) return;
	/* Those count where ours are not set: ours once more, over them. */
	read_family(settings, OTHER, policy_only);
	read_family(settings, OURS, policy_only);
}

/* ---- the control files ---- */

static int read_names(struct settings *settings, const char **what)
{
	struct str *me = &settings->me;
	enum control_answer answer;

	if (control_read_line(*what = "me", me) == CONTROL_FAILED) return -1;
	answer = control_read_line(*what = "smtpgreeting", &settings->greeting);
	if (answer == CONTROL_FAILED) return -1;
	if (settings->greeting.length == 0) {
		*what = "me";
		errno = 0;
		if (me->length == 0) return -1;
		str_append(&settings->greeting, me->data, me->length);
	}
	answer = control_read_line(*what = "localiphost",
				   &settings->literal_host);
	if (answer == CONTROL_FAILED) return -1;
	if (answer == CONTROL_ABSENT)
		str_append(&settings->literal_host, me->data, me->length);
	return 0;
}

static int read_number(const char *name, unsigned long *number,
		       const char **what)
{
	*what = name;
	return control_read_number(name, number) == CONTROL_FAILED ? -1 : 0;
}

static int read_numbers(struct settings *settings, const char **what)
{
	struct policy *policy = &settings->unset;

	if (read_number("timeoutsmtpd", &settings->timeout, what) < 0 ||
	    read_number("databytes", &policy->databytes, what) < 0 ||
	    read_number("mfcheck", &policy->sender_check, what) < 0 ||
	    read_number("maxrcpt", &policy->recipients_limit, what) < 0 ||
	    read_number("spfbehavior", &policy->spf_behavior, what) < 0)
		return -1;
	if (settings->timeout == 0) settings->timeout = 1;
	return 0;
}

static int read_more_recipient_hosts(struct settings *settings)
{
	struct str path = { 0 };
	int result;

	control_path(&path, "morercpthosts.cdb");
	result = access(path.data, F_OK);
	if (result == 0)
		result = table_open(&settings->more_recipient_hosts, path.data);
	str_free(&path);
	return result < 0 && errno != ENOENT ? -1 : 0;
}

/* Without a list qmail relays for everybody; here that takes a word. */
static int read_recipient_hosts(struct settings *settings, const char **what)
{
	*what = "rcpthosts";
	switch (control_read_list(*what, &settings->recipient_hosts)) {
	case CONTROL_FAILED: return -1;
	case CONTROL_ABSENT:
		settings->relaying = parse_flag(getenv("SMTPD_OPEN_RELAY"))
					     ? RELAY_EVERYTHING
					     : RELAY_NOTHING;
		return 0;
	case CONTROL_FOUND:
	default:
		settings->relaying = RELAY_LISTED;
		*what = "morercpthosts.cdb";
		return read_more_recipient_hosts(settings);
	}
}

static int read_error_fd(const char *text)
{
	unsigned long number = 0;

	if (!text || !*text) return QUEUE_ERROR_FD_USUAL;
	if (*text == '-') return QUEUE_ERROR_FD_NONE;
	/* 0 and 1 carry the message and the envelope. */
	if (parse_number(text, 2, 255, &number) < 0)
		return QUEUE_ERROR_FD_USUAL;
	return (int)number;
}

static void read_queue(struct queue_client_settings *queue)
{
	queue->program = getenv("QMAILQUEUE");
	if (!queue->program || !*queue->program)
		queue->program = usual_queue_program;
	queue->error_fd = read_error_fd(getenv("ERROR_FD"));
	queue->seconds = QUEUE_TIMEOUT;
	parse_leading_number(getenv("SMTPD_QUEUE_TIMEOUT"), &queue->seconds);
	if (queue->seconds == 0) queue->seconds = QUEUE_TIMEOUT;
	queue->may_discard = parse_flag(getenv("SMTPD_QUEUE_DISCARD"));
}

void settings_read_policy(struct settings *settings)
{
	settings->policy = settings->unset;
	read_variables(settings, true);
	read_queue(&settings->queue);
}

/* It is in a line of the reply that has other words, too. */
static void make_greeting(struct settings *settings)
{
	char shown[GREETING_LIMIT];
	const char *text = settings->greeting_text;

	printable_text(shown, sizeof shown,
		       text ? text : settings->greeting.data);
	str_clear(&settings->greeting);
	str_append_text(&settings->greeting, shown);
}

static void set_defaults(struct settings *settings)
{
	settings->timeout = TIMEOUT;
	settings->helper_timeout = HELPER_TIMEOUT;
	settings->chunking = settings->utf8 = 1;
	settings->auth_delay = AUTH_DELAY;
	settings->auth_failures_limit = AUTH_FAILURES_LIMIT;
	settings->unset.strangers_limit = STRANGERS_LIMIT;
	settings->unset.tarpit_delay = TARPIT_DELAY;
	settings->unset.check_relayed_recipients = 1;
}

int settings_read(struct settings *settings, const char *relay_suffix,
		  const char **what)
{
	set_defaults(settings);
	if (read_names(settings, what) < 0) return -1;
	if (read_numbers(settings, what) < 0) return -1;
	if (read_recipient_hosts(settings, what) < 0) return -1;
	settings->relaying_for_all = settings->relaying;
	if (relay_suffix) settings->relaying = RELAY_THIS_CLIENT;
	settings->relay_suffix = relay_suffix;
	settings->policy = settings->unset;
	read_variables(settings, false);
	make_greeting(settings);
	read_queue(&settings->queue);
	return 0;
}

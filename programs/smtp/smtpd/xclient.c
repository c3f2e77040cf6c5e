/* SPDX-License-Identifier: ISC */
#include "xclient.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth.h"
#include "base/parse.h"
#include "log.h"
#include "plugins.h"
#include "replies.h"
#include "system/net.h"
#include "verbs.h"

enum attribute {
	NAME,
	ADDR,
	PORT,
	PROTO,
	HELO,
	LOGIN,
	DESTADDR,
	DESTPORT,
	ATTRIBUTE_COUNT,
};

enum presence { NOT_SAID, UNAVAILABLE, SAID };

struct value {
	enum presence presence;
	struct str text;
};

/* ---- what is said ---- */

static int hexadecimal(char digit)
{
	if (digit >= '0' && digit <= '9') return digit - '0';
	if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
	if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
	return -1;
}

/* RFC 3461 section 4: "+41" is 'A'. What no line of a log or a header may hold is
   refused. */
static bool decode_xtext(struct str *text, const char *from, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)from[i];

		if (byte == '+') {
			int high, low;

			if (length - i < 3) return false;
			high = hexadecimal(from[i + 1]);
			low = hexadecimal(from[i + 2]);
			if (high < 0 || low < 0) return false;
			byte = (unsigned char)(high * 16 + low);
			i += 2;
		}
		if (byte < 32 || byte == 127) return false;
		str_append_byte(text, (char)byte);
	}
	return length > 0;
}

static bool is_host(struct str *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";

	return text->length <= HELO_LIMIT &&
	       strspn(text->data, allowed) == text->length;
}

/* In the form that all others have it in. */
static bool is_address(struct str *text)
{
	static const char mark[] = "IPV6:";
	const char *address = text->data;
	char shown[NET_IP_TEXT];
	struct net_ip ip;

	if (strncasecmp(address, mark, sizeof mark - 1) == 0)
		address += sizeof mark - 1;
	if (net_ip_parse(address, &ip) < 0) return false;
	net_ip_format(&ip, shown);
	str_clear(text);
	str_append_text(text, shown);
	return true;
}

static bool is_port(struct str *text)
{
	unsigned long port;

	return parse_number(text->data, 0, 65535, &port) == 0;
}

static bool is_protocol(struct str *text)
{
	return strcasecmp(text->data, "SMTP") == 0 ||
	       strcasecmp(text->data, "ESMTP") == 0;
}

static bool is_name(struct str *text)
{
	return text->length <= HELO_LIMIT;
}

static const struct {
	const char *name;
	bool (*is_good)(struct str *text);
} attributes[ATTRIBUTE_COUNT] = {
	[NAME] = { "NAME", is_host },
	[ADDR] = { "ADDR", is_address },
	[PORT] = { "PORT", is_port },
	[PROTO] = { "PROTO", is_protocol },
	[HELO] = { "HELO", is_name },
	[LOGIN] = { "LOGIN", is_name },
	[DESTADDR] = { "DESTADDR", is_address },
	[DESTPORT] = { "DESTPORT", is_port },
};

static bool read_value(struct value *value, enum attribute attribute,
		       const struct smtp_parameter *said)
{
	if (parse_same_word(said->value, said->value_length, "[UNAVAILABLE]") ||
	    parse_same_word(said->value, said->value_length, "[TEMPUNAVAIL]")) {
		value->presence = UNAVAILABLE;
		return true;
	}
	value->presence = SAID;
	str_clear(&value->text);
	return decode_xtext(&value->text, said->value, said->value_length) &&
	       attributes[attribute].is_good(&value->text);
}

static bool read_attribute(struct value values[],
			   const struct smtp_parameter *said)
{
	if (!said->value) return false;
	for (enum attribute i = 0; i < ATTRIBUTE_COUNT; i++)
		if (parse_same_word(said->name, said->name_length,
				    attributes[i].name))
			return read_value(&values[i], i, said);
	return false;
}

static bool read_all(struct value values[], const char *argument)
{
	struct smtp_parameter said;
	size_t count = 0;

	for (; smtp_parameter_next(&argument, &said); count++)
		if (!read_attribute(values, &said)) return false;
	return count > 0;
}

/* ---- what follows from it ---- */

static void set(struct session *session, const char *name,
		const struct value *value)
{
	session_export(session, name,
		       value->presence == SAID ? value->text.data : NULL);
}

static void set_if_said(struct session *session, const char *name,
			const struct value *value)
{
	if (value->presence != NOT_SAID) set(session, name, value);
}

/* Whatever else is said of an address, and is not of this one. */
static void forget_address(struct session *session)
{
	static const char *const names[] = {
		"PROTO",          "TCPREMOTEHOST",  "TCPREMOTEPORT",
		"TCPREMOTEINFO",  "TCP6REMOTEIP",   "TCP6REMOTEHOST",
		"TCP6REMOTEPORT", "TCP6REMOTEINFO", "TCP6LOCALIP",
		"TCP6LOCALHOST",  "TCP6LOCALPORT",  "SSLREMOTEIP",
		"SSLREMOTEHOST",  "SSLREMOTEPORT",  "SSLREMOTEINFO",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	session->strangers = session->errors = session->junk = 0;
	session->auth.failures = 0;
	plugins_forget_client(session);
}

static void forget_permission(struct session *session)
{
	struct settings *settings = &session->settings;

	unsetenv("RELAYCLIENT");
	settings->relaying = settings->relaying_for_all;
	settings->relay_suffix = NULL;
}

static void set_address(struct session *session, const struct value *address)
{
	bool is_ipv6 =
		address->presence == SAID && strchr(address->text.data, ':');

	forget_address(session);
	set(session, "TCPREMOTEIP", address);
	session_export(session, "PROTO", is_ipv6 ? "TCP6" : "TCP");
}

static void set_name(struct session *session, const struct value *values)
{
	str_clear(&session->helo);
	if (values[HELO].presence == SAID)
		str_append(&session->helo, values[HELO].text.data,
			   values[HELO].text.length);
	else str_free(&session->helo);
	session->is_extended =
		values[PROTO].presence == SAID &&
		strcasecmp(values[PROTO].text.data, "ESMTP") == 0;
}

static void apply(struct session *session, const struct value *values)
{
	session->speaks_for_others = true;
	session->results.client_name = NULL;
	session_reset(session);
	if (values[ADDR].presence != NOT_SAID ||
	    values[LOGIN].presence != NOT_SAID)
		auth_forget(session);
	if (!session->auth.done) forget_permission(session);
	if (values[ADDR].presence != NOT_SAID)
		set_address(session, &values[ADDR]);
	set_if_said(session, "TCPREMOTEHOST", &values[NAME]);
	set_if_said(session, "TCPREMOTEPORT", &values[PORT]);
	set_if_said(session, "TCPLOCALIP", &values[DESTADDR]);
	set_if_said(session, "TCPLOCALPORT", &values[DESTPORT]);
	set_name(session, values);
	session->client = connection_from_environment();
	if (values[LOGIN].presence == SAID)
		auth_believe(session, values[LOGIN].text.data);
}

void xclient_announce(struct session *session)
{
	if (session->settings.xclient) reply(session, REPLY_EHLO_XCLIENT);
}

void xclient_run(struct session *session, const char *argument)
{
	struct value values[ATTRIBUTE_COUNT];

	if (!session->settings.xclient) {
		refuse(session, REPLY_UNIMPLEMENTED);
		return;
	}
	if (session->transaction.open) {
		refuse(session, REPLY_XCLIENT_IN_MAIL);
		return;
	}
	memset(values, 0, sizeof values);
	if (read_all(values, argument)) {
		apply(session, values);
		log_connection(session);
		greet(session);
	} else {
		refuse(session, REPLY_XCLIENT_SYNTAX);
	}
	for (size_t i = ATTRIBUTE_COUNT; i-- > 0;) str_free(&values[i].text);
}

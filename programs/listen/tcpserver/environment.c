/* SPDX-License-Identifier: ISC */
#include "environment.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail/rules.h"
#include "restart.h"
#include "signals.h"
#include "system/dns_answer.h"
#include "system/ident.h"

enum {
	OWN_VARIABLES = 16,      /* the most that one client gets */
	OWN_VARIABLE_BYTES = 64, /* without a name from the outside */
	NAME_BYTES = 2 * DNS_NAME + IDENT_INFO,
	FIRST_RULE_VARIABLES = 32, /* more of them make the list grow */
};

static bool is_own_variable(const char *variable)
{
	static const char *const names[] = {
		"PROTO",          "TCP6INTERFACE",  "TCPLOCALIP",
		"TCPLOCALPORT",   "TCPLOCALHOST",   "TCPREMOTEIP",
		"TCPREMOTEPORT",  "TCPREMOTEHOST",  "TCPREMOTEINFO",
		"TCP6LOCALIP",    "TCP6LOCALPORT",  "TCP6LOCALHOST",
		"TCP6REMOTEIP",   "TCP6REMOTEPORT", "TCP6REMOTEHOST",
		"TCP6REMOTEINFO", "LISTEN_PID",     "LISTEN_FDS",
		"LISTEN_FDNAMES", "NOTIFY_SOCKET",  SUCCESSOR_VARIABLE,
		PARTNER_VARIABLE,
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t length = strlen(names[i]);

		if (strncmp(variable, names[i], length) == 0 &&
		    variable[length] == '=')
			return true;
	}
	return false;
}

void inherit_environment(struct environment *environment,
			 const struct settings *settings)
{
	const char *name = settings->local_host ? settings->local_host : "";
	size_t all = 0;

	while (environ[all]) all++;
	environment->room = all + OWN_VARIABLES + FIRST_RULE_VARIABLES;
	environment->inherited = calloc(all + 1, sizeof(char *));
	environment->list = calloc(environment->room, sizeof(char *));
	if (!environment->inherited || !environment->list)
		fail(settings, "keep the environment");
	for (size_t i = 0; i < all; i++)
		if (!is_own_variable(environ[i]))
			environment->inherited[environment->inherited_count++] =
				environ[i];
	str_reserve(&environment->text,
		    OWN_VARIABLES * OWN_VARIABLE_BYTES +
			    2 * (strlen(name) + NAME_BYTES));
}

/* One of our variables; its name is not in the list yet. */
static void set_own(struct environment *environment, const char *protocol,
		    const char *name, const char *value)
{
	struct str *text = &environment->text;

	environment->list[environment->count++] = text->data + text->length;
	str_append_text(text, protocol);
	str_append_text(text, name);
	str_append_byte(text, '=');
	str_append(text, value, strlen(value) + 1);
}

static void set_name(struct environment *environment, const char *protocol,
		     const char *name, const char *value)
{
	if (value) set_own(environment, protocol, name, value);
}

/* A balancer may tell of one end of each family. */
static void write_ip(char *text, size_t size, const struct settings *settings,
		     const char *ip)
{
	bool is_mapped = settings->keep_ipv6_form && strchr(ip, '.');

	snprintf(text, size, "%s%s", is_mapped ? "::ffff:" : "", ip);
}

static void set_ends(struct environment *environment, const char *protocol,
		     const struct settings *settings,
		     const struct client *client)
{
	char text[sizeof "::ffff:" + NET_IP_TEXT];

	write_ip(text, sizeof text, settings, client->local_ip);
	set_own(environment, protocol, "LOCALIP", text);
	snprintf(text, sizeof text, "%u", client->local_port);
	set_own(environment, protocol, "LOCALPORT", text);
	set_name(environment, protocol, "LOCALHOST", client->local_host);
	write_ip(text, sizeof text, settings, client->remote_ip);
	set_own(environment, protocol, "REMOTEIP", text);
	snprintf(text, sizeof text, "%u", client->remote_port);
	set_own(environment, protocol, "REMOTEPORT", text);
	set_name(environment, protocol, "REMOTEHOST", client->remote_host);
	set_name(environment, protocol, "REMOTEINFO", client->remote_info);
}

/* A rule's variable takes the place of any other of that name. 0, or -1. */
static int set_variable(struct environment *environment, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;
	const char **larger;

	for (size_t i = 0; i < environment->count; i++) {
		if (strncmp(environment->list[i], variable, name) != 0)
			continue;
		environment->list[i] = variable;
		return 0;
	}
	if (environment->count + 1 == environment->room) {
		larger = realloc(environment->list,
				 2 * environment->room * sizeof(char *));
		if (!larger) return -1;
		environment->list = larger;
		environment->room *= 2;
	}
	environment->list[environment->count++] = variable;
	return 0;
}

int build_environment(struct environment *environment,
		      const struct settings *settings,
		      const struct client *client, const char *rule,
		      size_t length)
{
	bool ipv6 = client->ip.family == NET_IPV6 || settings->keep_ipv6_form;
	char interface[IF_NAMESIZE];
	const char *item;
	size_t at = 0;

	environment->count = environment->inherited_count;
	memcpy(environment->list, environment->inherited,
	       environment->inherited_count * sizeof(char *));
	str_clear(&environment->text);
	set_own(environment, "", "PROTO", ipv6 ? "TCP6" : "TCP");
	set_ends(environment, "TCP", settings, client);
	if (ipv6) set_ends(environment, "TCP6", settings, client);
	if (client->scope && if_indextoname(client->scope, interface))
		set_own(environment, "TCP6", "INTERFACE", interface);

	while ((item = rules_next_item(rule, length, &at)))
		if (*item == '+' && strchr(item, '=') &&
		    strncmp(item, "+PROXY=", strlen("+PROXY=")) != 0 &&
		    set_variable(environment, item + 1) < 0)
			return -1;
	environment->list[environment->count] = NULL;
	return 0;
}

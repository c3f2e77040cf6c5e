/* SPDX-License-Identifier: ISC */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"

static const char *remote_ip(void)
{
	const char *proto = getenv("PROTO");
	const char *ip = NULL;

	if (proto && strcmp(proto, "TCP6") == 0) ip = getenv("TCP6REMOTEIP");
	if (!ip) ip = getenv("TCPREMOTEIP");
	return ip ? ip : "";
}

/* An address of IPv6 may name an interface behind '%', which lists know nothing
   of. */
struct client client_from_environment(void)
{
	const char *text = remote_ip();
	struct client client = { 0 };
	char ip[NET_IP_TEXT];
	size_t length = strcspn(text, "%");

	printable_text(client.text, sizeof client.text, text);
	if (length >= sizeof ip) return client;
	memcpy(ip, text, length);
	ip[length] = '\0';
	if (net_ip_parse(ip, &client.ip) == 0)
		net_ip_format(&client.ip, client.text);
	return client;
}

void client_log(const struct client *client, const char *format, ...)
{
	char text[MESSAGE_LIMIT];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(text, sizeof text, format, arguments) < 0) *text = '\0';
	va_end(arguments);
	note("%s pid %ld: %s", client->text, (long)getpid(), text);
}

/* SPDX-License-Identifier: ISC */
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/header.h"
#include "results.h"
#include "system/clock.h"

/* Of the TLS process: words like TLSv1.3 and TLS_AES_256_GCM_SHA384. */
static void append_word(struct str *field, const char *word)
{
	for (; *word; word++) {
		if (*word == '_') str_append_byte(field, '_');
		else header_append_safe(field, (char[]){ *word, '\0' });
	}
}

/* RFC 3848, and 6531 section 4.3. TLS and AUTH are of ESMTP only. */
static void append_protocol_word(struct str *field,
				 const struct session *session)
{
	bool tls = tls_protects(&session->tls), auth = session->auth.done;

	if (session->transaction.utf8) str_append_text(field, "UTF8SMTP");
	else if (session->is_extended || tls || auth)
		str_append_text(field, "ESMTP");
	else str_append_text(field, "SMTP");
	if (tls) str_append_text(field, "S");
	if (auth) str_append_text(field, "A");
}

static void append_tls_comment(struct str *field)
{
	const char *protocol = getenv("SSL_PROTOCOL");
	const char *cipher = getenv("SSL_CIPHER");

	if (!protocol || !cipher) return;
	str_append_text(field, " (");
	append_word(field, protocol);
	str_append_text(field, " ");
	append_word(field, cipher);
	str_append_text(field, ")");
}

/* As in qmail's TLS patch, which scripts that read logs and mail expect. */
static void append_tls_words(struct str *field)
{
	const char *cipher = getenv("SSL_CIPHER");
	const char *verdict = getenv("SSL_VERIFY_STATUS");
	const char *email = getenv("SSL_CLIENT_S_DN_Email");

	if (cipher) {
		append_word(field, cipher);
		str_append_text(field, " encrypted ");
	}
	str_append_text(field, "SMTP");
	if (!email || !verdict || strcmp(verdict, "OK") != 0) return;
	str_append_text(field, " cert ");
	header_append_safe(field, email);
}

static void append_protocol(struct str *field, const struct session *session)
{
	bool tls = tls_protects(&session->tls);

	str_append_text(field, " with ");
	if (session->settings.protocol_words) {
		append_protocol_word(field, session);
		if (tls) append_tls_comment(field);
	} else if (tls) {
		append_tls_words(field);
	} else {
		str_append_text(field, "SMTP");
	}
	str_append_text(field, "; ");
}

static void append_received(struct str *field, const struct session *session)
{
	const struct connection *client = &session->client;
	const char *host = client->remote_host, *by = client->local_host;

	if (!host) host = "unknown";
	if (!by) by = client->local_ip;
	str_append_text(field, "Received: from ");
	header_append_safe(field, host);
	if (session->helo.data && strcasecmp(session->helo.data, host) != 0) {
		str_append_text(field, " (HELO ");
		header_append_safe(field, session->helo.data);
		str_append_text(field, ")");
	}
	str_append_text(field, " (");
	if (client->remote_info) {
		header_append_safe(field, client->remote_info);
		str_append_text(field, "@");
	}
	header_append_safe(field, client->remote_ip);
	str_append_text(field, ")\n  by ");
	header_append_safe(field, by);
	append_protocol(field, session);
	header_append_date(field, clock_seconds());
	str_append_text(field, "\n");
}

void trace_append(struct str *fields, struct session *session)
{
	const struct transaction *transaction = &session->transaction;

	if (session->settings.policy.auth_results)
		results_append(fields, session);
	str_append(fields, transaction->headers.data,
		   transaction->headers.length);
	append_received(fields, session);
	str_append(fields, transaction->headers_below.data,
		   transaction->headers_below.length);
}

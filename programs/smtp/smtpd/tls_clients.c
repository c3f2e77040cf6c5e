/* SPDX-License-Identifier: ISC */
#include "tls_clients.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "control_file.h"
#include "replies.h"
#include "tls.h"

enum { CAUSE_ROOM = 256 };

static struct control_file tls_clients = { .name = "tlsclients" };

static const char *refuse_because(struct session *session, const char *cause)
{
	char shown[CAUSE_ROOM];

	str_clear(&session->refusal);
	str_append_text(&session->refusal, REPLY_NO_CLIENT_CERT_CAUSE);
	str_append_text(&session->refusal,
			printable_text(shown, sizeof shown, cause));
	str_append_text(&session->refusal, REPLY_NO_CLIENT_CERT_END);
	return session->refusal.data;
}

/* What is in a certificate means something only when it has been verified. The
   variables are tlsd's. */
static const char *check_certificate(struct session *session)
{
	const char *status = getenv("SSL_VERIFY_STATUS");
	const char *cause = getenv("SSL_VERIFY_STRING");
	const char *address = getenv("SSL_CLIENT_S_DN_Email");

	if (!status || strcmp(status, "OK") != 0)
		return status && strcmp(status, "FAIL") == 0 && cause
			       ? refuse_because(session, cause)
			       : REPLY_NO_CLIENT_CERT;
	if (!address || !*address ||
	    !control_file_has(session, &tls_clients, address))
		return REPLY_NO_CLIENT_CERT;
	return NULL;
}

static const char *let_in(struct session *session)
{
	session_export(session, "RELAYCLIENT", "");
	session->settings.relaying = RELAY_THIS_CLIENT;
	session->settings.relay_suffix = "";
	return NULL;
}

const char *tls_clients_check(struct session *session)
{
	const char *refusal;

	/* A certificate is that of the client that is connected. */
	if (!tls_protects(&session->tls) || session->speaks_for_others)
		return REPLY_NOT_OUR_DOMAIN;
	if (!control_file_list(session, &tls_clients))
		return REPLY_NOT_OUR_DOMAIN;
	refusal = check_certificate(session);
	return refusal ? refusal : let_in(session);
}

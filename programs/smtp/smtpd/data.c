/* SPDX-License-Identifier: ISC */
#include "data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "log.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/smtp_data.h"
#include "replies.h"
#include "tls.h"

/* More than any true way of a message has, RFC 5321 section 6.3. */
enum { MOST_HOPS = 100 };

struct reception {
	struct header_hops hops;
	size_t length; /* so far, with LF line ends, as in databytes */
	bool too_big;
};

/* Of the TLS process: words like TLSv1.3 and TLS_AES_256_GCM_SHA384. */
static void append_word(struct str *field, const char *word)
{
	for (; *word; word++) {
		if (*word == '_') str_append_byte(field, '_');
		else header_append_safe(field, (char[]){ *word, '\0' });
	}
}

/* RFC 3848 has the word; qmail's own is kept where there is no TLS. */
static void append_protocol(struct str *field, const struct session *session)
{
	const char *protocol = getenv("SSL_PROTOCOL");
	const char *cipher = getenv("SSL_CIPHER");

	if (!tls_protects(&session->tls)) {
		str_append_text(field, " with SMTP; ");
		return;
	}
	str_append_text(field, " with ESMTPS");
	if (protocol && cipher) {
		str_append_text(field, " (");
		append_word(field, protocol);
		str_append_text(field, " ");
		append_word(field, cipher);
		str_append_text(field, ")");
	}
	str_append_text(field, "; ");
}

/* The trace field, RFC 5321 section 4.4, in qmail's form. */
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
	header_append_date(field, time(NULL));
	str_append_text(field, "\n");
}

static void send_received(struct session *session)
{
	struct str field = { 0 };

	append_received(&field, session);
	queue_client_write(&session->queue, field.data, field.length);
	str_free(&field);
}

static void pass_on(struct session *session, struct reception *reception,
		    const char *text, size_t length)
{
	size_t limit = session->settings.policy.databytes;

	header_count_hops(&reception->hops, text, length);
	reception->length += length;
	if (limit && reception->length > limit && !reception->too_big) {
		reception->too_big = true;
		/* No need for the queue program to wait for the rest. */
		queue_client_abandon(&session->queue);
	}
	queue_client_write(&session->queue, text, length);
}

/* Reads to the end of the message, whatever happens to it on the way: what is
   left unread would be taken for commands. */
static void receive_text(struct session *session, struct reception *reception)
{
	struct stream_in *in = &session->in;
	struct smtp_data data = { .bare_lf = SMTP_DATA_BARE_LF_STOPS };
	enum smtp_data_state state = SMTP_DATA_MORE;

	while (state == SMTP_DATA_MORE) {
		/* The bytes before `from` have been used, or are spare. */
		char *from, *to;
		size_t length, made;

		if (in->start == in->end) session_read(session);
		from = in->data + in->start;
		to = from - SMTP_DATA_GROWTH;
		length = in->end - in->start;
		state = smtp_data_decode(&data, from, &length, to, &made);
		in->start += length;
		if (state == SMTP_DATA_BARE_LF)
			session_give_up(session, REPLY_BARE_LF);
		pass_on(session, reception, to, made);
	}
}

static void reply_queued(struct session *session)
{
	reply_part(session, REPLY_QUEUED);
	reply_number(session, (unsigned long)time(NULL));
	reply_part(session, REPLY_QUEUED_BY);
	reply_number(session, (unsigned long)session->queue.pid);
	reply(session, "");
}

static void report(struct session *session, const struct reception *reception,
		   const struct queue_result *result)
{
	/* These two were abandoned: a program that may throw messages away
	   says of them, too, that it has. */
	if (reception->hops.count >= MOST_HOPS) {
		log_event(session, "too many hops", NULL);
		reply(session, REPLY_LOOPING);
	} else if (reception->too_big) {
		log_event(session, "DATABYTES exceeded", NULL);
		reply(session, REPLY_TOO_BIG);
	} else if (result->verdict == QUEUE_ACCEPTS) {
		if (result->exit_code != 0) log_discarded(session);
		reply_queued(session);
	} else {
		log_queue_failure(session, result);
		reply_part(session, result->verdict == QUEUE_REFUSES
					    ? REPLY_QUEUE_REFUSES
					    : REPLY_QUEUE_DEFERS);
		reply(session, result->text);
	}
}

void receive_message(struct session *session)
{
	struct reception reception = { 0 };
	struct queue_result result;

	session->transaction.open = false;
	if (queue_client_start(&session->queue, &session->settings.queue) < 0) {
		log_no_queue_program();
		reply(session, REPLY_NO_QUEUE_PROGRAM);
		session_reset(session);
		return;
	}
	reply(session, REPLY_GO_AHEAD);
	send_received(session);
	receive_text(session, &reception);
	if (reception.hops.count >= MOST_HOPS)
		queue_client_abandon(&session->queue);
	envelope_end(&session->transaction.envelope);
	result = queue_client_finish(&session->queue,
				     &session->transaction.envelope);
	report(session, &reception, &result);
	session_reset(session);
}

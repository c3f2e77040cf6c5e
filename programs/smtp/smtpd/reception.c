/* SPDX-License-Identifier: ISC */
#include "reception.h"

#include <stdlib.h>

#include "control_file.h"
#include "log.h"
#include "mail/envelope.h"
#include "plugins.h"
#include "replies.h"
#include "results.h"
#include "session.h"
#include "system/clock.h"
#include "trace.h"

/* More than any true way of a message has, RFC 5321 section 6.3. */
enum { MOST_HOPS = 100 };

static void send_trace(struct session *session)
{
	struct str fields = { 0 };

	trace_append(&fields, session);
	queue_client_write(&session->queue, fields.data, fields.length);
	str_free(&fields);
}

static void write_filtered(void *session, const char *bytes, size_t length)
{
	queue_client_write(&((struct session *)session)->queue, bytes, length);
}

/* Fields that others have written in our name would be believed. */
static void filter_results(struct session *session)
{
	session->search.filter = (struct auth_results_filter){
		.id = results_id(session),
		.write = write_filtered,
		.context = session,
	};
}

/* Those of the control file, be there none in it, or the usual ones. */
static void scan_for_signatures(struct session *session)
{
	static struct control_file file = { .name = "signatures" };
	const struct str *own = control_file_list(session, &file);
	const char *lines = own && own->data ? own->data : "";

	mime_signature_start(&session->search.scan, own ? lines : NULL,
			     own ? own->length : 0);
}

const char *reception_start(struct session *session)
{
	struct reception *reception = &session->reception;

	reception->hops = (struct header_hops){ 0 };
	reception->length = 0;
	reception->too_big = false;
	reception->signature = NULL;
	reception->is_scanned = session->settings.policy.refuse_executables;
	if (reception->is_scanned) scan_for_signatures(session);
	reception->is_filtered = session->settings.policy.auth_results > 0;
	if (reception->is_filtered) filter_results(session);
	if (plugins_run(session, PLUGINS_DATA, NULL) == PLUGINS_REFUSE)
		return session->refusal.data;
	/* There may be addresses in UTF-8, which the queue program is to know. */
	session_export(session, "SMTPUTF8",
		       session->transaction.utf8 ? "1" : NULL);
	if (queue_client_start(&session->queue, &session->settings.queue) < 0) {
		log_no_queue_program();
		return REPLY_NO_QUEUE_PROGRAM;
	}
	reception->open = true;
	send_trace(session);
	return NULL;
}

void reception_add(struct session *session, const char *text, size_t length)
{
	struct reception *reception = &session->reception;
	size_t limit = session->settings.policy.databytes;

	header_count_hops(&reception->hops, text, length);
	reception->length += length;
	if (limit && reception->length > limit) reception->too_big = true;
	if (reception->is_scanned)
		reception->signature = mime_signature_read(
			&session->search.scan, text, length);
	/* No need for the queue program to wait for the rest. */
	if (reception->too_big || reception->signature)
		queue_client_abandon(&session->queue);
	if (session->queue.failure) return;
	if (reception->is_filtered)
		auth_results_filter(&session->search.filter, text, length);
	else queue_client_write(&session->queue, text, length);
}

bool reception_has_failed(const struct session *session)
{
	return session->reception.hops.count >= MOST_HOPS ||
	       session->queue.failure;
}

static void reply_queued(struct session *session)
{
	struct str *text = &session->refusal;
	unsigned long now = (unsigned long)clock_seconds();

	log_queued(session, now, session->reception.length);
	str_clear(text);
	str_append_text(text, REPLY_QUEUED);
	str_append_number(text, now);
	str_append_text(text, REPLY_QUEUED_BY);
	str_append_number(text, (unsigned long)session->queue.pid);
	reply(session, text->data);
}

static void reply_failed(struct session *session,
			 const struct queue_result *result)
{
	struct str *text = &session->refusal;

	log_queue_failure(session, result);
	str_clear(text);
	str_append_text(text, result->verdict == QUEUE_REFUSES
				      ? REPLY_QUEUE_REFUSES
				      : REPLY_QUEUE_DEFERS);
	str_append_text(text, result->text);
	refuse(session, text->data);
}

/* What we have abandoned goes first: a program that may throw messages away says
   of these, too, that it has. */
static void report(struct session *session, const struct queue_result *result)
{
	const struct reception *reception = &session->reception;

	if (reception->hops.count >= MOST_HOPS) {
		log_event(session, "too many hops", NULL);
		refuse(session, REPLY_LOOPING);
	} else if (reception->too_big) {
		log_event(session, "DATABYTES exceeded", NULL);
		refuse(session, REPLY_TOO_BIG);
	} else if (reception->signature) {
		log_event(session, "REJECTEXEC", reception->signature);
		refuse(session, REPLY_EXECUTABLE);
	} else if (result->verdict == QUEUE_ACCEPTS) {
		if (result->exit_code != 0) log_discarded(session);
		reply_queued(session);
	} else {
		reply_failed(session, result);
	}
}

void reception_end(struct session *session)
{
	struct reception *reception = &session->reception;
	struct str *envelope = &session->transaction.envelope;
	struct queue_result result;

	if (reception->is_scanned)
		reception->signature =
			mime_signature_end(&session->search.scan);
	if (reception->hops.count >= MOST_HOPS || reception->signature)
		queue_client_abandon(&session->queue);
	if (reception->is_filtered)
		auth_results_filter_end(&session->search.filter);
	envelope_end(envelope);
	result = queue_client_finish(&session->queue, envelope);
	reception->open = false;
	report(session, &result);
}

void reception_abandon(struct session *session)
{
	if (!session->reception.open) return;
	session->reception.open = false;
	queue_client_abandon(&session->queue);
	/* It is waited for, so that no client has more than one at work. */
	(void)queue_client_finish(&session->queue,
				  &session->transaction.envelope);
}

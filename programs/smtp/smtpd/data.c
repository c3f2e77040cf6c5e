/* SPDX-License-Identifier: ISC */
#include "data.h"

#include "mail/smtp_data.h"
#include "reception.h"
#include "replies.h"

/* Reads to the end of the message, whatever happens to it on the way. */
static void receive_text(struct session *session)
{
	struct stream_in *in = &session->in;
	struct smtp_data data = { .bare_lf = SMTP_DATA_BARE_LF_STOPS };
	enum smtp_data_state state = SMTP_DATA_MORE;

	if (session->settings.normalize_bare_lf)
		data.bare_lf = SMTP_DATA_BARE_LF_ENDS_LINE;
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
		reception_add(session, to, made);
	}
}

void receive_message(struct session *session)
{
	const char *refusal = reception_start(session);

	if (refusal) {
		refuse(session, refusal);
	} else {
		reply(session, REPLY_GO_AHEAD);
		receive_text(session);
		reception_end(session);
	}
	session_reset(session);
}

/* SPDX-License-Identifier: ISC */
#include "chunk.h"

#include "reception.h"
#include "replies.h"
#include "session.h"

/* The next `*left` bytes, or those of them that are there; 0 when `*left` is. */
static size_t read_some(struct session *session, const uint64_t *left)
{
	struct stream_in *in = &session->in;
	size_t there;

	if (*left == 0) return 0;
	if (in->start == in->end) session_read(session);
	there = in->end - in->start;
	return *left < there ? (size_t)*left : there;
}

static void pass_over(struct session *session, uint64_t left)
{
	size_t length;

	while ((length = read_some(session, &left)) > 0) {
		session->in.start += length;
		left -= length;
	}
}

static void receive_text(struct session *session, uint64_t left)
{
	struct smtp_chunk *text = &session->transaction.chunks.text;
	size_t length;

	while ((length = read_some(session, &left)) > 0) {
		/* The bytes before `from` have been used, or are spare. */
		char *from = session->in.data + session->in.start;
		char *to = from - SMTP_CHUNK_GROWTH;

		session->in.start += length;
		left -= length;
		reception_add(session, to,
			      smtp_chunk_decode(text, from, length, to));
	}
}

static void end_text(struct session *session)
{
	char end[SMTP_CHUNK_END_GROWTH];

	reception_add(session, end,
		      smtp_chunk_end(&session->transaction.chunks.text, end));
}

/* NULL, or the reply that refuses the chunk. */
static const char *may_come(struct session *session)
{
	struct transaction *transaction = &session->transaction;

	if (!transaction->open) return REPLY_MAIL_FIRST;
	switch (transaction->chunks.state) {
	case CHUNKS_COME: return NULL;
	case CHUNKS_FAILED: return REPLY_CHUNK_FAILED;
	case CHUNKS_NONE:
	default: break;
	}
	if (transaction->recipient_count == 0) return REPLY_RECIPIENT_FIRST;
	return reception_start(session);
}

static void receive(struct session *session, const struct smtp_chunk_size *size)
{
	struct chunks *chunks = &session->transaction.chunks;

	chunks->state = CHUNKS_COME;
	receive_text(session, size->bytes);
	if (size->is_last) end_text(session);
	if (size->is_last || reception_has_failed(session)) {
		chunks->state = CHUNKS_FAILED;
		reception_end(session);
	} else {
		reply(session, REPLY_OK);
	}
}

void chunk_run(struct session *session, const char *argument)
{
	struct smtp_chunk_size size;
	const char *refusal;

	if (!session->settings.chunking) {
		refuse(session, REPLY_UNIMPLEMENTED);
		return;
	}
	/* Nobody knows where the next command begins. */
	if (smtp_chunk_parse(argument, &size) < 0)
		session_give_up(session, REPLY_CHUNK_SYNTAX);
	refusal = may_come(session);
	if (refusal) {
		session->transaction.chunks.state = CHUNKS_FAILED;
		pass_over(session, size.bytes);
		refuse(session, refusal);
	} else {
		receive(session, &size);
	}
	if (size.is_last || !session->transaction.open) session_reset(session);
}

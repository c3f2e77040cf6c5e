/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_DATA_H
#define SMTPD_DATA_H

#include "session.h"

/* DATA: takes the message, hands it to the queue program and says what became
   of it. A client that leaves in the middle ends the process, and the queue
   program, which then gets no envelope, queues nothing. */
void receive_message(struct session *);

#endif

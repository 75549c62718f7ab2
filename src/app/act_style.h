/* act_style.h: the styles that are set, as part of a request. */
#pragma once
#include "desk.h"

/* Nothing where who answers knows no styles. */
NODISCARD enum err style_request(const struct desk *d, struct request *rq);

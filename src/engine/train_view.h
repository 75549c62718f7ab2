/* train_view.h: a run as it is seen while it lasts, on standard error: curves redrawn in place where there is room on
 * a terminal, one line there where there is not, plain lines anywhere else. */
#pragma once
#include "train_curve.h"
#include "train_sample.h"

enum { VIEW_LOSSES = 4, VIEW_CURVES = VIEW_LOSSES + N_FIGURES };
struct train_view {
    bool quiet, terminal, ascii;
    int rows, columns;                  /* of the terminal; 0 = ask it at every drawing */
    int n_losses, n, drawn;             /* curves; lines that stand on the terminal */
    struct curve curve[VIEW_CURVES];
    char status[200], held_out[200];
};
/* data: figures of phrases, or NULL for a family that makes none. Names are borrowed. */
void train_view_open(struct train_view *v, const char *const *loss_names, int n_losses, const struct figures *data,
                     bool quiet);
void train_view_losses(struct train_view *v, const char *status, const double *losses);
void train_view_held_out(struct train_view *v, const char *text);
void train_view_figures(struct train_view *v, long step, const struct figures *f);
/* Losses of the updates before, from the log of the run; what cannot be read is left out. */
void train_view_recall(struct train_view *v, const char *log_path);
/* What is drawn, without escapes: the status, the last held-out line and the curves. Returns its lines. */
int train_view_panel(const struct train_view *v, int columns, struct str *out);

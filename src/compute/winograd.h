/* winograd.h: the one-dimensional transforms of F(4x4, 3x3) (Lavin and Gray 2016), for whoever says what a value is: a
 * vector of channels (cpu/wino.c) or a number (cuda/wino.cu). WINO_FN stands before the functions, WINO_VALUE is the
 * type. No include guard: it is a piece of its includer. */

/* Bt: 6 to 6. */
WINO_FN void to_input(const WINO_VALUE d[6], WINO_VALUE t[6])
{
    WINO_VALUE a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
    t[0] = 4 * d[0] - 5 * d[2] + d[4];
    t[1] = a + b;
    t[2] = a - b;
    t[3] = c + e;
    t[4] = c - e;
    t[5] = 4 * d[1] - 5 * d[3] + d[5];
}

/* At: 6 to 4. */
WINO_FN void to_output(const WINO_VALUE m[6], WINO_VALUE t[6])
{
    WINO_VALUE a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], e = m[3] - m[4];
    t[0] = m[0] + a + c;
    t[1] = b + 2 * e;
    t[2] = a + 4 * c;
    t[3] = b + 8 * e + m[5];
}

/* A: 4 to 6, the adjoint of the above. */
WINO_FN void from_output(const WINO_VALUE y[6], WINO_VALUE t[6])
{
    WINO_VALUE a = y[0] + y[2], b = y[1] + y[3], c = y[0] + 4 * y[2], e = 2 * y[1] + 8 * y[3];
    t[0] = y[0];
    t[1] = a + b;
    t[2] = a - b;
    t[3] = c + e;
    t[4] = c - e;
    t[5] = y[3];
}

/* G: 3 to 6. */
WINO_FN void to_weights(const WINO_VALUE w[6], WINO_VALUE t[6])
{
    WINO_VALUE a = (w[0] + w[2]) * (1.0f / 6), b = w[1] * (1.0f / 6);
    WINO_VALUE c = w[0] * (1.0f / 24) + w[2] * (1.0f / 6), e = w[1] * (1.0f / 12);
    t[0] = w[0] * 0.25f;
    t[1] = -a - b;
    t[2] = b - a;
    t[3] = c + e;
    t[4] = c - e;
    t[5] = w[2];
}

/* Gt: 6 to 3, the adjoint of the above. */
WINO_FN void from_weights(const WINO_VALUE t[6], WINO_VALUE w[6])
{
    WINO_VALUE a = t[1] + t[2], b = t[2] - t[1], c = t[3] + t[4], e = t[3] - t[4];
    w[0] = t[0] * 0.25f - a * (1.0f / 6) + c * (1.0f / 24);
    w[1] = b * (1.0f / 6) + e * (1.0f / 12);
    w[2] = (c - a) * (1.0f / 6) + t[5];
}

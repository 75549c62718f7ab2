/* program.h: element-wise programs on the device: N elements of a chain of ops, from memory to registers. The
 * program is the same for all threads, so its switch does not divide a warp; the result of the op before is
 * handed on in a register, and older ones wait in the thread's own memory. */
#pragma once
#include "device.h"

DEVICE unsigned spread_index(const cu_input &in, unsigned i)
{
    return quotient(i, in.period) * in.inner.divisor + remainder_of(i, in.inner);
}

/* Elements at .. at + N of an input; at is a multiple of N. */
template <int N> DEVICE pack<N> load(const cu_input &in, unsigned at)
{
    pack<N> r;
    for (int i = 0; i < N; i++) {
        unsigned k = at + (unsigned)i;
        r.v[i] = in.kind == CU_CONSTANT ? in.value : in.data[in.kind == CU_SPREAD ? spread_index(in, k) : k];
    }
    return r;
}

template <> __device__ __forceinline__ pack<4> load<4>(const cu_input &in, unsigned at)
{
    if (in.kind == CU_CONSTANT)
        return { { in.value, in.value, in.value, in.value } };
    if (in.kind == CU_PLAIN && in.wide)
        return load4(in.data + at);
    if (in.kind == CU_PLAIN)
        return { { in.data[at], in.data[at + 1], in.data[at + 2], in.data[at + 3] } };
    unsigned i = spread_index(in, at);
    if (in.wide && in.inner.divisor > 1)
        return load4(in.data + i);
    if (in.wide)
        return { { in.data[i], in.data[i], in.data[i], in.data[i] } };
    return { { in.data[i], in.data[spread_index(in, at + 1)], in.data[spread_index(in, at + 2)],
               in.data[spread_index(in, at + 3)] } };
}

DEVICE float sigmoid_of(float x)
{
    return 1 / (1 + expf(-x));
}

/* 0.5 x (1 + tanh u) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). */
DEVICE float gelu_of(float x)
{
    return x * sigmoid_of(x * (1.59576912f + 0.0713548163f * x * x));
}

/* Beyond |x| = 9.5 the derivative is 1, or 0 to 30 digits. */
DEVICE float gelu_slope(float x)
{
    x = fminf(fmaxf(x, -9.5f), 9.5f);
    float e = expf(-x * (1.59576912f + 0.0713548163f * x * x)), s = 1 / (1 + e);
    return s + x * s * (e * s) * (1.59576912f + 3 * 0.0713548163f * x * x);
}

DEVICE float power_of(float x, float exponent)
{
    return exponent == 2 ? x * x : exponent == 0.5f ? sqrtf(x) : exponent == -1 ? 1 / x
           : exponent == -0.5f ? 1 / sqrtf(x) : powf(x, exponent);
}

#define EACH(name, expression)      \
    case CU_##name:                 \
        for (int i = 0; i < N; i++) \
            d.v[i] = (expression);  \
        break

template <int N> DEVICE pack<N> compute(const cu_op &op, const pack<N> &a, const pack<N> &b, const pack<N> &c)
{
    pack<N> d = a;
    switch (op.code) {
    EACH(ADD, a.v[i] + b.v[i]);
    EACH(SUB, a.v[i] - b.v[i]);
    EACH(MUL, a.v[i] * b.v[i]);
    EACH(DIV, a.v[i] / b.v[i]);
    EACH(SCALE, op.a * a.v[i] + op.b);
    EACH(POWC, power_of(a.v[i], op.a));
    EACH(EXP, expf(a.v[i]));
    EACH(LOG, logf(a.v[i]));
    EACH(TANH, tanhf(a.v[i]));
    EACH(SIGMOID, sigmoid_of(a.v[i]));
    EACH(LEAKY, a.v[i] > 0 ? a.v[i] : op.a * a.v[i]);
    EACH(STEP, a.v[i] > 0 ? 1.0f : op.a);
    EACH(GE, a.v[i] >= b.v[i] ? 1.0f : 0.0f);
    EACH(SELECT, a.v[i] != 0 ? b.v[i] : c.v[i]);
    EACH(GELU, gelu_of(a.v[i]));
    EACH(GELU_DX, a.v[i] * gelu_slope(b.v[i]));
    default: break;
    }
    return d;
}
#undef EACH

template <int N> struct registers {
    pack<N> temp[CU_OPS], last;
    int held; /* which operand `last` is */
};

template <int N> DEVICE pack<N> operand(const cu_program &p, const registers<N> &r, int k, unsigned at)
{
    if (k == r.held || k < 0)
        return r.last;
    return k < p.n_in ? load<N>(p.in[k], at) : r.temp[k - p.n_in];
}

template <int N> DEVICE pack<N> evaluate(const cu_program &p, unsigned at)
{
    registers<N> r;
    r.last = {};
    r.held = -1;
    for (int i = 0; i < p.n_ops; i++) {
        const cu_op &op = p.op[i];
        r.last = compute<N>(op, operand<N>(p, r, op.src[0], at), operand<N>(p, r, op.src[1], at),
                            operand<N>(p, r, op.src[2], at));
        r.held = op.dst;
        r.temp[op.dst - p.n_in] = r.last;
    }
    return r.last;
}

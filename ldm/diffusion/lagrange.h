#pragma once

#include <functional>
#include <vector>

namespace ldm {

// The weights of values at `nodes` in the integral from `from` to `to` of the polynomial through them, times
// `density`: the integrals of the Lagrange basis. By Gauss-Legendre quadrature of 24 points, exact to
// rounding for polynomials and for densities as smooth as exp over a sampling step.
std::vector<double> lagrange_weights(const std::vector<double>& nodes, double from, double to,
                                     const std::function<double(double)>& density);

// The Adams-Bashforth weights of the newest value first, for equal steps; order 1..4.
const std::vector<double>& adams_bashforth_weights(size_t order);

}  // namespace ldm

//! What the paths of paper trading may answer besides.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use super::problem_responses;
use crate::error::ProblemCode;

/// The answer to a request for a portfolio that there is not.
pub(crate) struct NoSuchPortfolio;

impl IntoResponses for NoSuchPortfolio {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::PortfolioNotFound])
    }
}

/// The answers to a portfolio that is not opened: there are enough, or the calendar has ended.
pub(crate) struct NoMorePortfolios;

impl IntoResponses for NoMorePortfolios {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::LimitReached, ProblemCode::NoSession])
    }
}

/// The answers to a portfolio that cannot be closed.
pub(crate) struct PortfolioConflict;

impl IntoResponses for PortfolioConflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::PortfolioNotFound, ProblemCode::PortfolioClosed])
    }
}

/// The answer to a request for an order that there is not.
pub(crate) struct NoSuchOrder;

impl IntoResponses for NoSuchOrder {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::OrderNotFound])
    }
}

/// The answers to an order that cannot be taken back.
pub(crate) struct OrderConflict;

impl IntoResponses for OrderConflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[ProblemCode::OrderNotFound, ProblemCode::OrderNotOpen])
    }
}

/// The answers to an order that is not taken.
pub(crate) struct OrderRefused;

impl IntoResponses for OrderRefused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[
            ProblemCode::PortfolioNotFound,
            ProblemCode::SymbolNotFound,
            ProblemCode::OrderKeyReused,
            ProblemCode::ChangedMeanwhile,
            ProblemCode::NoSession,
            ProblemCode::OrderDenied,
        ])
    }
}

/// The answers to an order that would not be taken.
pub(crate) struct OrderDenied;

impl IntoResponses for OrderDenied {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problem_responses(&[
            ProblemCode::PortfolioNotFound,
            ProblemCode::SymbolNotFound,
            ProblemCode::NoSession,
            ProblemCode::OrderDenied,
        ])
    }
}

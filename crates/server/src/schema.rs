//! How the words of the market look in JSON, and what the OpenAPI document says of them.
//!
//! The pure crates know nothing of OpenAPI; these thin types give their values a schema.

use bist_market::{Notional, Origin, Price};
use bist_trading::signal::Action;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Serialize, Serializer};
use utoipa::openapi::KnownFormat;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, SchemaFormat, Type};

/// A price as a decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal(pub(crate) Price);

/// An amount of money as a decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount(pub(crate) Notional);

/// A day in Istanbul.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Day(pub(crate) Date);

/// A time of the day in Istanbul, `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeOfDay(pub(crate) Time);

/// An instant in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Instant(pub(crate) Timestamp);

/// Where data come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OriginWord(pub(crate) Origin);

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ActionWord(pub(crate) Action);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.strftime("%H:%M"))
    }
}

/// A schema of type string.
pub(crate) fn text(description: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .examples([serde_json::Value::from(example)])
}

/// The schema of a document whose members are told in words.
pub(crate) fn document(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
}

/// Gives `$name` the schema `$schema` under the name `$public`.
macro_rules! schema {
    ($name:ty, $public:literal, $schema:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::RefOr::T($schema.build().into())
            }
        }
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($public)
            }
        }
    };
}
pub(crate) use schema;

schema!(
    Decimal,
    "Decimal",
    text("A price in Turkish lira as a decimal string with two to four decimals.", "312.50")
        .pattern(Some(r"^[0-9]+\.[0-9]{2,4}$"))
);
schema!(
    Amount,
    "Amount",
    text(
        "An amount of money in Turkish lira as a decimal string with two to four decimals; negative when \
         it is paid, owed or lost.",
        "31250.00"
    )
    .pattern(Some(r"^-?[0-9]+\.[0-9]{2,4}$"))
);
schema!(
    Day,
    "Day",
    text("A day in Europe/Istanbul.", "2026-11-24")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
);
schema!(
    TimeOfDay,
    "TimeOfDay",
    text("A time of the day in Europe/Istanbul.", "17:00")
        .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"))
);
schema!(
    Instant,
    "Instant",
    text("An instant in UTC, RFC 3339.", "2026-11-24T15:10:00Z")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
);
schema!(
    OriginWord,
    "Origin",
    text(
        "Whether the data are real: `sample` data were made by the generator and say nothing about any company, `market` data came from outside.",
        "market"
    )
    .enum_values(Some([Origin::Sample, Origin::Market].map(Origin::as_str)))
);
schema!(
    ActionWord,
    "Action",
    text(
        "What to do at the next session. `sell` means to reduce what one has; nothing is sold short.",
        "hold"
    )
    .enum_values(Some([Action::Buy, Action::Sell, Action::Hold].map(Action::as_str)))
);

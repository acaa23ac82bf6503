//! The values of a query, kept until it is known which database gets them.

use std::borrow::Cow;

use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

/// One value; an absent one still says of which type it is, as PostgreSQL wants to know.
#[derive(Clone, Debug)]
pub(crate) enum Argument<'q> {
    Integer(Option<i64>),
    Real(Option<f64>),
    Boolean(Option<bool>),
    Text(Option<Cow<'q, str>>),
}

impl Argument<'_> {
    /// Hands the value to SQLite.
    pub(super) fn add_to_sqlite(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Integer(value) => arguments.add(value),
            Self::Real(value) => arguments.add(value),
            Self::Boolean(value) => arguments.add(value),
            Self::Text(Some(Cow::Owned(value))) => arguments.add(value),
            Self::Text(value) => arguments.add(value.as_deref()),
        }
    }

    /// Hands the value to PostgreSQL.
    pub(super) fn add_to_postgres(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Integer(value) => arguments.add(value),
            Self::Real(value) => arguments.add(value),
            Self::Boolean(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value.as_deref()),
        }
    }
}

/// What can be a value of a query.
pub(crate) trait Bind<'q>: Sized {
    /// The absent value of this type.
    const NULL: Argument<'q>;

    /// The value as the query keeps it.
    fn argument(self) -> Argument<'q>;
}

impl<'q> Bind<'q> for i64 {
    const NULL: Argument<'q> = Argument::Integer(None);

    fn argument(self) -> Argument<'q> {
        Argument::Integer(Some(self))
    }
}

impl<'q> Bind<'q> for f64 {
    const NULL: Argument<'q> = Argument::Real(None);

    fn argument(self) -> Argument<'q> {
        Argument::Real(Some(self))
    }
}

impl<'q> Bind<'q> for bool {
    const NULL: Argument<'q> = Argument::Boolean(None);

    fn argument(self) -> Argument<'q> {
        Argument::Boolean(Some(self))
    }
}

impl<'q> Bind<'q> for &'q str {
    const NULL: Argument<'q> = Argument::Text(None);

    fn argument(self) -> Argument<'q> {
        Argument::Text(Some(Cow::Borrowed(self)))
    }
}

impl<'q> Bind<'q> for String {
    const NULL: Argument<'q> = Argument::Text(None);

    fn argument(self) -> Argument<'q> {
        Argument::Text(Some(Cow::Owned(self)))
    }
}

impl<'q> Bind<'q> for &'q String {
    const NULL: Argument<'q> = Argument::Text(None);

    fn argument(self) -> Argument<'q> {
        self.as_str().argument()
    }
}

impl<'q> Bind<'q> for &i64 {
    const NULL: Argument<'q> = Argument::Integer(None);

    fn argument(self) -> Argument<'q> {
        (*self).argument()
    }
}

impl<'q> Bind<'q> for &f64 {
    const NULL: Argument<'q> = Argument::Real(None);

    fn argument(self) -> Argument<'q> {
        (*self).argument()
    }
}

impl<'q, T: Bind<'q>> Bind<'q> for Option<T> {
    const NULL: Argument<'q> = T::NULL;

    fn argument(self) -> Argument<'q> {
        self.map_or(T::NULL, T::argument)
    }
}

impl<'q, T> Bind<'q> for &'q Option<T>
where
    &'q T: Bind<'q>,
{
    const NULL: Argument<'q> = <&'q T as Bind<'q>>::NULL;

    fn argument(self) -> Argument<'q> {
        self.as_ref().argument()
    }
}

//! Typed identifiers: no bare string names a thing across a layer.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::SafeText;

macro_rules! json_string {
    ($name:ident) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }
    };
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(SafeText);

        impl $name {
            /// Sanitises `raw` into an id.
            pub fn new(raw: &str) -> Self {
                Self(SafeText::new(raw))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The id as text that can be drawn.
            pub fn text(&self) -> &SafeText {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl From<&str> for $name {
            fn from(raw: &str) -> Self {
                Self::new(raw)
            }
        }

        json_string!($name);
    };
}

macro_rules! resource_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The source that owns it.
            pub source: SourceId,
            /// Its name within the source.
            pub name: SafeText,
        }

        impl $name {
            /// The thing called `name` within `source`.
            pub fn new(source: &SourceId, name: &str) -> Self {
                Self { source: source.clone(), name: SafeText::new(name) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.source, self.name)
            }
        }

        // One string `source/name`, so that ids can be keys of JSON objects.
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                let (source, name) = text.split_once('/').ok_or_else(|| {
                    serde::de::Error::custom(format!("{text:?} is not of the form source/name"))
                })?;
                Ok(Self::new(&SourceId::new(source), name))
            }
        }

        json_string!($name);
    };
}

name_id! {
    /// One configured backend, by its name in the configuration (no `/`).
    SourceId
}
name_id! {
    /// A service, by its name in the configuration.
    ServiceId
}
name_id! {
    /// One run of a pipeline, as its backend names it.
    ExecutionId
}
name_id! {
    /// A canary, `service/name`.
    CanaryId
}

resource_id! {
    /// A pipeline.
    PipelineId
}
resource_id! {
    /// An environment.
    EnvironmentId
}
resource_id! {
    /// A traffic split: one address and the arms behind it.
    TrafficId
}
resource_id! {
    /// A feature flag, `project:key` within its source.
    FlagId
}
resource_id! {
    /// An alarm or alert.
    AlarmId
}
resource_id! {
    /// A series of measurements.
    SeriesId
}
resource_id! {
    /// A change on the timeline.
    ChangeId
}

/// Any fact or readable thing, by id: what a selection, a copy or a refresh points at.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ItemId {
    /// A pipeline.
    Pipeline(PipelineId),
    /// An environment.
    Environment(EnvironmentId),
    /// A traffic split.
    Traffic(TrafficId),
    /// A flag.
    Flag(FlagId),
    /// An alarm.
    Alarm(AlarmId),
    /// A series.
    Series(SeriesId),
    /// A change.
    Change(ChangeId),
}

impl ItemId {
    /// The source that owns the item.
    pub fn source(&self) -> &SourceId {
        match self {
            Self::Pipeline(id) => &id.source,
            Self::Environment(id) => &id.source,
            Self::Traffic(id) => &id.source,
            Self::Flag(id) => &id.source,
            Self::Alarm(id) => &id.source,
            Self::Series(id) => &id.source,
            Self::Change(id) => &id.source,
        }
    }

    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pipeline(_) => "pipeline",
            Self::Environment(_) => "environment",
            Self::Traffic(_) => "traffic",
            Self::Flag(_) => "flag",
            Self::Alarm(_) => "alarm",
            Self::Series(_) => "series",
            Self::Change(_) => "change",
        }
    }

    /// The item's name within its source.
    pub fn name(&self) -> &SafeText {
        match self {
            Self::Pipeline(id) => &id.name,
            Self::Environment(id) => &id.name,
            Self::Traffic(id) => &id.name,
            Self::Flag(id) => &id.name,
            Self::Alarm(id) => &id.name,
            Self::Series(id) => &id.name,
            Self::Change(id) => &id.name,
        }
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.source(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_id_is_one_string_on_the_wire() {
        let id = FlagId::new(&SourceId::new("unleash"), "web:new/tax");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, r#""unleash/web:new/tax""#);
        assert_eq!(serde_json::from_str::<FlagId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<FlagId>(r#""nosource""#).is_err());
    }
}

"""Users and groups in the admin. simplejwt's token pages are taken out: they show refresh tokens that are good for a
login.
"""

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group
from rest_framework_simplejwt.token_blacklist import (
    admin as token_admin,
)  # registers its pages, before they are taken out
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from mlbackend.accounts.models import User

admin.site.unregister([Group, token_admin.OutstandingToken, token_admin.BlacklistedToken])


@admin.register(User)
class UserAdmin(auth.UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(auth.GroupAdmin, ModelAdmin):
    pass
